// ld and st. Orders and cache hints change nothing here: accesses of a warp happen in program order.
#include "twofour/emu/ptx/cta.h"
#include "twofour/emu/ptx/decode.h"
#include "twofour/emu/ptx/qualifiers.h"

namespace twofour::emu::ptx {
namespace {

constexpr int max_elements = 8;

struct MemoryOp {
  Address address;
  int count = 1;                                  ///< elements of the vector
  std::array<Ref, max_elements> registers = {};  ///< none: `_`
};

struct Wide {
  std::uint64_t word[2];
};

template <class Register, class Memory>
Register widen(Memory m) {
  if constexpr (std::is_same_v<Memory, Register>)
    return m;
  else if constexpr (std::is_same_v<Register, Wide>)
    return Wide{{std::uint64_t(std::int64_t(m)), std::is_signed_v<Memory> && m < 0 ? ~std::uint64_t{0} : 0}};
  else
    return Register(m);
}
template <class Memory, class Register>
Memory narrow(Register r) {
  if constexpr (std::is_same_v<Memory, Register>)
    return r;
  else if constexpr (std::is_same_v<Register, Wide>)
    return Memory(r.word[0]);
  else
    return Memory(r);
}

template <class Memory>
Memory read(const std::byte* p) {
  Memory m;
  std::memcpy(&m, p, sizeof m);
  return m;
}

template <class Memory, class Register, int Count>
void load_in_line(const std::byte* p, const std::array<Register*, max_elements>& d) {
  for (int l = 0; l < lanes_of_warp; ++l)
    for (int k = 0; k < Count; ++k)
      d[std::size_t(k)][l] = widen<Register>(read<Memory>(p + (l * Count + k) * int(sizeof(Memory))));
}

template <class Memory, class Register, int Count>
void load(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto& m = *static_cast<const MemoryOp*>(op.data);
  constexpr std::uint64_t size = sizeof(Memory) * Count;
  Addresses a;
  gather(warp, m.address, lanes, size, size, a);
  std::array<Register*, max_elements> d = {};
  Register unused[lanes_of_warp];
  for (std::size_t k = 0; k < Count; ++k)
    d[k] = m.registers[k] ? warp.reg<Register>(m.registers[k]) : unused;
  visit(warp, op, m.address.window, a, lanes, size, false, [&](const View& v) {
    if (v.lanes == all_lanes && v.stride == 0 && a.in_line)
      return load_in_line<Memory, Register, Count>(v.host(a, 0), d);
    if (v.lanes == all_lanes && v.stride == 0 && a.same) {
      for (int k = 0; k < Count; ++k)
        std::fill_n(d[std::size_t(k)], lanes_of_warp,
                    widen<Register>(read<Memory>(v.host(a, 0) + std::size_t(k) * sizeof(Memory))));
      return;
    }
    for_lanes(v.lanes, [&](int l) {
      const std::byte* p = v.host(a, l);
      for (int k = 0; k < Count; ++k)
        d[std::size_t(k)][l] = widen<Register>(read<Memory>(p + std::size_t(k) * sizeof(Memory)));
    });
  });
}

template <class Memory, class Register, int Count>
void store(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto& m = *static_cast<const MemoryOp*>(op.data);
  constexpr std::uint64_t size = sizeof(Memory) * Count;
  Addresses a;
  gather(warp, m.address, lanes, size, size, a);
  std::array<const Register*, Count> s;
  for (std::size_t k = 0; k < Count; ++k) s[k] = warp.reg<Register>(m.registers[k]);
  const auto put = [&](std::byte* p, int l) {
    for (std::size_t k = 0; k < Count; ++k) {
      const Memory value = narrow<Memory>(s[k][l]);
      std::memcpy(p + k * sizeof value, &value, sizeof value);
    }
  };
  visit(warp, op, m.address.window, a, lanes, size, true, [&](const View& v) {
    if (v.lanes == all_lanes && v.stride == 0 && a.in_line) {
      std::byte* const p = v.host(a, 0);
      for (int l = 0; l < lanes_of_warp; ++l) put(p + std::uint64_t(l) * size, l);
      return;
    }
    for_lanes(v.lanes, [&](int l) { put(v.host(a, l), l); });
  });
}

template <class Memory, class Register>
Handler vector_handler(bool stores, int count) {
  switch (count) {
    case 1: return stores ? store<Memory, Register, 1> : load<Memory, Register, 1>;
    case 2: return stores ? store<Memory, Register, 2> : load<Memory, Register, 2>;
    case 4: return stores ? store<Memory, Register, 4> : load<Memory, Register, 4>;
    default: return stores ? store<Memory, Register, 8> : load<Memory, Register, 8>;
  }
}

template <class Memory>
Handler width_handler(bool stores, int count, int register_bytes) {
  if constexpr (!std::is_same_v<Memory, Wide>) {
    if constexpr (sizeof(Memory) <= 1)
      if (register_bytes == 1) return vector_handler<Memory, std::uint8_t>(stores, count);
    if constexpr (sizeof(Memory) <= 2)
      if (register_bytes == 2) return vector_handler<Memory, std::uint16_t>(stores, count);
    if constexpr (sizeof(Memory) <= 4)
      if (register_bytes == 4) return vector_handler<Memory, std::uint32_t>(stores, count);
    if (register_bytes == 8) return vector_handler<Memory, std::uint64_t>(stores, count);
  }
  return vector_handler<Memory, Wide>(stores, count);
}

Handler find_handler(Type type, bool stores, int count, int register_bytes) {
  const bool sign = !stores && bytes_of(type) < register_bytes &&
                    (type == Type::s8 || type == Type::s16 || type == Type::s32 || type == Type::s64);
  switch (bytes_of(type)) {
    case 1:
      return sign ? width_handler<std::int8_t>(stores, count, register_bytes)
                  : width_handler<std::uint8_t>(stores, count, register_bytes);
    case 2:
      return sign ? width_handler<std::int16_t>(stores, count, register_bytes)
                  : width_handler<std::uint16_t>(stores, count, register_bytes);
    case 4:
      return sign ? width_handler<std::int32_t>(stores, count, register_bytes)
                  : width_handler<std::uint32_t>(stores, count, register_bytes);
    case 8:
      return sign ? width_handler<std::int64_t>(stores, count, register_bytes)
                  : width_handler<std::uint64_t>(stores, count, register_bytes);
    default: return width_handler<Wide>(stores, count, register_bytes);
  }
}

/// Elements that the vector modifier names, which the operand must have.
int vector_count(const FunctionDecoder& d, const Operand& o) {
  const int named = d.has("v2") ? 2 : d.has("v4") ? 4 : d.has("v8") ? 8 : 1;
  const int given = o.kind == Operand::Kind::vector ? int(o.parts.size()) : 1;
  if (named != given) d.refuse(fmt::format("{} registers, the instruction moves {}", given, named));
  if (named * bytes_of(d.type()) > 32) d.refuse("a vector of more than 32 bytes");
  return named;
}

void decode_access(FunctionDecoder& d, bool stores) {
  check_qualifiers(d, {"nc", "unified", "v2", "v4", "v8"});
  d.expect_operands(2, 3);  // a cache policy may follow
  const Operand& data = d.operand(stores ? 1 : 0);
  const Type type = d.type();
  if (type == Type::pred) d.refuse("predicates cannot be in memory");
  MemoryOp m;
  m.address = d.address(d.operand(stores ? 0 : 1), window_of(d));
  m.count = vector_count(d, data);
  int register_bytes = 0;
  for (int k = 0; k < m.count; ++k) {
    const Operand& o = data.kind == Operand::Kind::vector ? data.parts[std::size_t(k)] : data;
    int width = bytes_of(type);
    Ref& r = m.registers[std::size_t(k)];
    r = stores ? d.source_at_least(o, type, width) : d.destination_at_least(o, bytes_of(type), width);
    // Numbers among registers, and `_`, take the width of the others.
    const bool fixed = o.kind == Operand::Kind::reg;
    if (fixed && register_bytes != 0 && register_bytes != width) d.refuse("registers of different sizes");
    if (fixed) register_bytes = width;
  }
  if (register_bytes == 0) register_bytes = bytes_of(type);
  for (int k = 0; stores && k < m.count; ++k) {
    const Operand& o = data.kind == Operand::Kind::vector ? data.parts[std::size_t(k)] : data;
    if (o.kind == Operand::Kind::reg || register_bytes == bytes_of(type)) continue;
    d.refuse("numbers beside registers that are wider than the type");
  }
  const MemoryOp* const held = d.own(m);
  d.emit(find_handler(type, stores, m.count, register_bytes)).data = held;
}

void decode_ld(FunctionDecoder& d) {
  decode_access(d, false);
}
void decode_st(FunctionDecoder& d) {
  decode_access(d, true);
}
void decode_nothing(FunctionDecoder&) {}

/// A cache policy is a number that nothing here reads.
void no_policy(Warp& warp, const Op& op, std::uint32_t lanes) {
  for_lanes(lanes, [&, d = warp.reg<std::uint64_t>(op.d[0])](int l) { d[l] = 0; });
}
void decode_createpolicy(FunctionDecoder& d) {
  const Ref result = d.destination(d.operand(0), 8);
  d.emit(no_policy).d[0] = result;
}

}  // namespace

OpcodeDecoder find_memory(std::string_view opcode) {
  if (opcode == "ld" || opcode == "ldu") return decode_ld;
  if (opcode == "st") return decode_st;
  if (opcode == "createpolicy") return decode_createpolicy;
  for (const std::string_view hint : {"prefetch", "prefetchu", "applypriority", "discard"})
    if (opcode == hint) return decode_nothing;
  return nullptr;
}

}  // namespace twofour::emu::ptx
