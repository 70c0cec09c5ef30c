// ld and st. Orders and cache hints change nothing here: accesses of a warp happen in program order.
#include "twofour/emu/numerics/simd_dispatch.h"
#include "twofour/emu/ptx/cta.h"
#include "twofour/emu/ptx/decode.h"
#include "twofour/emu/ptx/qualifiers.h"

namespace twofour::emu::ptx {
namespace {

constexpr int max_elements = 8;

struct MemoryOp {
  Address address;
  int count = 1;                                 ///< elements of the vector
  std::array<Ref, max_elements> registers = {};  ///< none: `_`
};

struct Wide {
  std::uint64_t word[2];
};

template <class To, class From>
To convert(From x) {
  if constexpr (std::is_same_v<To, From>)
    return x;
  else
    return To(x);
}

template <class Memory>
Memory read(const std::byte* p) {
  Memory m;
  std::memcpy(&m, p, sizeof m);
  return m;
}

/// A load by all lanes from one piece of memory, whose place 0 is at `memory`: lane l's from r[l] + offset.
template <class Base, class Word>
struct FullLoad {
  const Base* r;
  Base offset, room;
  const std::byte* memory;
  std::array<Word*, 4> d;  ///< elements of the vector
};
/// Not done: a place is misaligned or beyond `room`.
template <int count, class Base, class Word>
TWOFOUR_ALWAYS_INLINE void load_all_body(const FullLoad<Base, Word>& f, bool& done) {
  constexpr Base size = sizeof(Word) * count;
  Base at[lanes_of_warp];
  const Base first = f.r[0] + f.offset, room = f.room;
  Base bad = 0, unequal = 0, uneven = 0;  // bad: in its top bit
  for (int l = 0; l < lanes_of_warp; ++l) {
    at[l] = f.r[l] + f.offset;
    bad |= at[l] | (room - at[l]) | (Base(0) - (at[l] & (size - 1)));
    unequal |= at[l] ^ first;
    uneven |= (at[l] - first) ^ (Base(l) * size);
  }
  done = (bad >> (8 * sizeof(Base) - 1)) == 0;
  if (!done) return;
  const std::byte* const memory = f.memory;
  for (std::size_t k = 0; k < count; ++k) {
    Word* const d = f.d[k];
    const std::byte* const from = memory + k * sizeof(Word);
    if (unequal == 0)
      std::fill_n(d, lanes_of_warp, read<Word>(from + first));
    else if (uneven == 0)
      for (int l = 0; l < lanes_of_warp; ++l) d[l] = read<Word>(from + first + Base(l) * size);
    else
      for (int l = 0; l < lanes_of_warp; ++l) d[l] = read<Word>(from + at[l]);
  }
}
template <int count, class Base, class Word>
TWOFOUR_TARGET_AVX512 void load_all_avx512(const FullLoad<Base, Word>& f, bool& done) {
  load_all_body<count>(f, done);
}
template <int count, class Base, class Word>
TWOFOUR_TARGET_AVX2 void load_all_avx2(const FullLoad<Base, Word>& f, bool& done) {
  load_all_body<count>(f, done);
}
template <int count, class Base, class Word>
void load_all_portable(const FullLoad<Base, Word>& f, bool& done) {
  load_all_body<count>(f, done);
}
/// For this processor.
template <int count, class Base, class Word>
auto find_load_all() {
  switch (simd_level()) {
    case SimdLevel::avx512: return load_all_avx512<count, Base, Word>;
    case SimdLevel::avx2: return load_all_avx2<count, Base, Word>;
    default: return load_all_portable<count, Base, Word>;
  }
}

/// The addresses lie in one piece, in registers of type Base. Its reads are done, or false.
template <class Base, class Word, int count>
bool loaded_at_once(Warp& warp, const MemoryOp& m, const Piece& piece) {
  static const auto load_all = find_load_all<count, Base, Word>();
  if (!piece.exists || piece.begin % (sizeof(Word) * count) != 0) return false;  // places tell of alignment
  FullLoad<Base, Word> f{warp.reg<Base>(m.address.reg),
                         Base(std::uint64_t(m.address.offset) - piece.begin),
                         Base(piece.room),
                         reinterpret_cast<const std::byte*>(piece.bias + piece.begin),
                         {}};
  for (std::size_t k = 0; k < count; ++k) {
    f.d[k] = warp.reg<Word>(m.registers[k]);
    if (f.d[k] == nullptr) return false;
  }
  bool done = false;
  load_all(f, done);
  return done;
}
/// Most loads: of shared memory by 32-bit addresses, of global memory by 64-bit ones.
template <class Word, int count>
bool loaded_at_once(Warp& warp, const Op& op) {
  constexpr std::uint64_t size = sizeof(Word) * count;
  const auto& m = *static_cast<const MemoryOp*>(op.data);
  if (m.address.window == Window::shared && m.address.base == Address::Base::reg32)
    return loaded_at_once<std::uint32_t, Word, count>(warp, m, shared_piece(warp, size));
  if (m.address.window == Window::global && m.address.base == Address::Base::reg64)
    return loaded_at_once<std::uint64_t, Word, count>(warp, m, global_piece(warp, op, size));
  return false;
}

// Count: elements of the vector; 0: as the op says.
template <class Memory, class Register, int Count>
void load(Warp& warp, const Op& op, std::uint32_t lanes) {
  if constexpr (Count != 0)
    if (lanes == all_lanes && loaded_at_once<Memory, Count>(warp, op)) return;
  const auto& m = *static_cast<const MemoryOp*>(op.data);
  const int count = Count != 0 ? Count : m.count;
  const std::uint64_t size = sizeof(Memory) * unsigned(count);
  Addresses a;
  gather(warp, m.address, lanes, size, size, a);
  std::array<Register*, max_elements> d;
  Register unused[lanes_of_warp];
  for (std::size_t k = 0; k < std::size_t(count); ++k)
    d[k] = m.registers[k] ? warp.reg<Register>(m.registers[k]) : unused;
  const auto take = [&](const std::byte* p, int l) {
    for (std::size_t k = 0; k < std::size_t(count); ++k)
      d[k][l] = convert<Register>(read<Memory>(p + k * sizeof(Memory)));
  };
  visit(warp, op, m.address.window, a, lanes, size, false, [&](const View& v) {
    if constexpr (Count != 0) {
      if (v.lanes == all_lanes && v.stride == 0 && a.in_line) {
        const std::byte* const p = v.host(a, 0);
        for (int l = 0; l < lanes_of_warp; ++l) take(p + std::uint64_t(l) * size, l);
        return;
      }
      if (v.lanes == all_lanes && v.stride == 0 && a.same) {
        const std::byte* const p = v.host(a, 0);
        for (std::size_t k = 0; k < Count; ++k)
          std::fill_n(d[k], lanes_of_warp, convert<Register>(read<Memory>(p + k * sizeof(Memory))));
        return;
      }
    }
    for_lanes(v.lanes, [&](int l) { take(v.host(a, l), l); });
  });
}

template <class Memory, class Register, int Count>
void store(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto& m = *static_cast<const MemoryOp*>(op.data);
  const int count = Count != 0 ? Count : m.count;
  const std::uint64_t size = sizeof(Memory) * unsigned(count);
  Addresses a;
  gather(warp, m.address, lanes, size, size, a);
  std::array<const Register*, max_elements> s;
  for (std::size_t k = 0; k < std::size_t(count); ++k) s[k] = warp.reg<Register>(m.registers[k]);
  const auto put = [&](std::byte* p, int l) {
    for (std::size_t k = 0; k < std::size_t(count); ++k) {
      const Memory value = convert<Memory>(s[k][l]);
      std::memcpy(p + k * sizeof value, &value, sizeof value);
    }
  };
  visit(warp, op, m.address.window, a, lanes, size, true, [&](const View& v) {
    if constexpr (Count != 0)
      if (v.lanes == all_lanes && v.stride == 0 && a.in_line) {
        std::byte* const p = v.host(a, 0);
        for (int l = 0; l < lanes_of_warp; ++l) put(p + std::uint64_t(l) * size, l);
        return;
      }
    for_lanes(v.lanes, [&](int l) { put(v.host(a, l), l); });
  });
}

template <class Memory, class Register>
Handler handler(bool stores) {
  return stores ? store<Memory, Register, 0> : load<Memory, Register, 0>;
}
/// What most kernels spend their time in has code of its own.
template <class Word>
Handler word_handler(bool stores, int count) {
  switch (count) {
    case 1: return stores ? store<Word, Word, 1> : load<Word, Word, 1>;
    case 2: return stores ? store<Word, Word, 2> : load<Word, Word, 2>;
    case 4: return stores ? store<Word, Word, 4> : load<Word, Word, 4>;
    default: return handler<Word, Word>(stores);
  }
}

/// For a register wider than the memory; null if there is none.
template <class Memory>
Handler widening_handler(bool stores, int register_bytes) {
  if constexpr (sizeof(Memory) < 2)
    if (register_bytes == 2) return handler<Memory, std::uint16_t>(stores);
  if constexpr (sizeof(Memory) < 4)
    if (register_bytes == 4) return handler<Memory, std::uint32_t>(stores);
  return register_bytes == 8 ? handler<Memory, std::uint64_t>(stores) : nullptr;
}

Handler find_handler(Type type, bool stores, int count, int register_bytes) {
  const int bytes = bytes_of(type);
  if (bytes == register_bytes) switch (bytes) {
      case 1: return handler<std::uint8_t, std::uint8_t>(stores);
      case 2: return handler<std::uint16_t, std::uint16_t>(stores);
      case 4: return word_handler<std::uint32_t>(stores, count);
      case 8: return word_handler<std::uint64_t>(stores, count);
      default: return handler<Wide, Wide>(stores);
    }
  const bool sign = !stores && (type == Type::s8 || type == Type::s16 || type == Type::s32);
  switch (bytes) {
    case 1:
      return sign ? widening_handler<std::int8_t>(stores, register_bytes)
                  : widening_handler<std::uint8_t>(stores, register_bytes);
    case 2:
      return sign ? widening_handler<std::int16_t>(stores, register_bytes)
                  : widening_handler<std::uint16_t>(stores, register_bytes);
    case 4:
      return sign ? widening_handler<std::int32_t>(stores, register_bytes)
                  : widening_handler<std::uint32_t>(stores, register_bytes);
    default: return nullptr;
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
  const Handler found = find_handler(type, stores, m.count, register_bytes);
  if (found == nullptr) d.unsupported("not implemented: a register that is so much wider than the type");
  const MemoryOp* const held = d.own(m);
  d.emit(found).data = held;
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
