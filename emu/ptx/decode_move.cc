// mov (also from and to parts of a register), cvta, isspacep, and what does nothing here.
#include "twofour/emu/ptx/decode.h"
#include "twofour/emu/ptx/memory.h"

namespace twofour::emu::ptx {
namespace {

template <class T>
void move(Warp& warp, const Op& op, std::uint32_t lanes) {
  T* d = warp.reg<T>(op.d[0]);
  const T* s = warp.reg<T>(op.s[0]);
  if (lanes == all_lanes)
    std::memmove(d, s, sizeof(T) * lanes_of_warp);
  else
    for_lanes(lanes, [&](int l) { d[l] = s[l]; });
}

void move_predicate(Warp& warp, const Op& op, std::uint32_t lanes) {
  std::uint32_t& d = *warp.reg<std::uint32_t>(op.d[0]);
  d = (d & ~lanes) | (*warp.reg<std::uint32_t>(op.s[0]) & lanes);
}

struct Wide {
  std::uint64_t word[2];
};

Handler mover(int bytes) {
  switch (bytes) {
    case 0: return move_predicate;
    case 1: return move<std::uint8_t>;
    case 2: return move<std::uint16_t>;
    case 4: return move<std::uint32_t>;
    case 8: return move<std::uint64_t>;
    default: return move<Wide>;
  }
}

/// Parts of a register, each `bytes` bytes; `whole` bytes in all.
struct Parts {
  std::vector<Ref> parts;
  Ref whole;
  int part_bytes = 0, whole_bytes = 0;
};

void pack(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto& p = *static_cast<const Parts*>(op.data);
  std::byte* const d = warp.reg<std::byte>(p.whole);
  for_lanes(lanes, [&](int l) {
    std::byte value[16];  // parts and whole may be the same register
    for (std::size_t k = 0; k < p.parts.size(); ++k)
      std::memcpy(value + k * std::size_t(p.part_bytes), warp.reg<std::byte>(p.parts[k]) + l * p.part_bytes,
                  std::size_t(p.part_bytes));
    std::memcpy(d + l * p.whole_bytes, value, std::size_t(p.whole_bytes));
  });
}

void unpack(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto& p = *static_cast<const Parts*>(op.data);
  const std::byte* const s = warp.reg<std::byte>(p.whole);
  for_lanes(lanes, [&](int l) {
    std::byte value[16];
    std::memcpy(value, s + l * p.whole_bytes, std::size_t(p.whole_bytes));
    for (std::size_t k = 0; k < p.parts.size(); ++k)
      if (p.parts[k])
        std::memcpy(warp.reg<std::byte>(p.parts[k]) + l * p.part_bytes, value + k * std::size_t(p.part_bytes),
                    std::size_t(p.part_bytes));
  });
}

Parts parts_of(FunctionDecoder& d, const Operand& vector, bool results) {
  Parts p;
  p.whole_bytes = bytes_of(d.type());
  const auto count = int(vector.parts.size());
  if (count == 0 || p.whole_bytes % count != 0 || p.whole_bytes / count == 0)
    d.refuse("the parts do not fill the type");
  p.part_bytes = p.whole_bytes / count;
  const Type part_type = p.part_bytes == 1   ? Type::b8
                         : p.part_bytes == 2 ? Type::b16
                         : p.part_bytes == 4 ? Type::b32
                                             : Type::b64;
  for (const Operand& o : vector.parts)
    p.parts.push_back(results ? d.destination(o, p.part_bytes) : d.source(o, part_type));
  return p;
}

void decode_mov(FunctionDecoder& d) {
  d.expect_operands(2, 2);
  const Operand &to = d.operand(0), &from = d.operand(1);
  const Type type = d.type();
  if (to.kind == Operand::Kind::vector) {
    Parts p = parts_of(d, to, true);
    p.whole = d.source(from, type);
    const Parts* const data = d.own(std::move(p));
    d.emit(unpack).data = data;
  } else if (from.kind == Operand::Kind::vector) {
    Parts p = parts_of(d, from, false);
    p.whole = d.destination(to, p.whole_bytes);
    const Parts* const data = d.own(std::move(p));
    d.emit(pack).data = data;
  } else if (from.kind == Operand::Kind::special) {
    const Ref result = d.destination(to, bytes_of(type));
    Op& op = d.emit(read_special);
    op.d[0] = result;
    op.detail = int(from.special);
    op.immediate = bytes_of(type) | from.integer << 8;
  } else {
    const Ref result = d.destination(to, bytes_of(type)), source = d.source(from, type);
    if (!result) return;
    Op& op = d.emit(mover(bytes_of(type)));
    op.d[0] = result;
    op.s[0] = source;
  }
}

/// Addresses are the same numbers in every space (memory.h).
void decode_cvta(FunctionDecoder& d) {
  d.expect_operands(2, 2);
  const Type type = d.type();
  const Ref result = d.destination(d.operand(0), bytes_of(type)), source = d.source(d.operand(1), type);
  Op& op = d.emit(mover(bytes_of(type)));
  op.d[0] = result;
  op.s[0] = source;
}

struct Range {
  std::uint64_t begin, end;
  Ref source;
  bool wide;
};

void is_in_space(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto& r = *static_cast<const Range*>(op.data);
  std::uint32_t in = 0;
  for_lanes(lanes, [&](int l) {
    const std::uint64_t a =
        r.wide ? warp.reg<std::uint64_t>(r.source)[l] : warp.reg<std::uint32_t>(r.source)[l];
    in |= std::uint32_t(a >= r.begin && a < r.end) << l;
  });
  std::uint32_t& d = *warp.reg<std::uint32_t>(op.d[0]);
  d = (d & ~lanes) | in;
}

void decode_isspacep(FunctionDecoder& d) {
  d.expect_operands(2, 2);
  const Operand& from = d.operand(1);
  const bool wide = from.kind != Operand::Kind::reg || d.width(from.reg) == 8;
  Range r{global_window, ~std::uint64_t{0}, d.source(from, wide ? Type::u64 : Type::u32), wide};
  if (d.has("shared") || d.has("shared::cta") || d.has("shared::cluster"))
    r.begin = shared_window, r.end = shared_window_end;
  else if (d.has("local"))
    r.begin = local_window, r.end = local_window_end;
  else if (d.has("param") || d.has("param::entry"))
    r.begin = param_window, r.end = param_window_end;
  else if (!d.has("global") && !d.has("const"))
    d.refuse("a state space is missing");
  const Range* const data = d.own(r);
  const Ref result = d.destination(d.operand(0), 0);
  Op& op = d.emit(is_in_space);
  op.d[0] = result;
  op.data = data;
}

/// All lanes get the same address, with room for the one that asks for most.
void extend_stack(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto* bytes = warp.reg<std::uint64_t>(op.s[0]);
  std::uint64_t most = 0;
  for_lanes(lanes, [&](int l) { most = std::max(most, bytes[l]); });
  const std::uint64_t address = warp.extend_frame(most, std::uint64_t(op.immediate));
  for_lanes(lanes, [&, d = warp.reg<std::uint64_t>(op.d[0])](int l) { d[l] = address; });
}

void decode_alloca(FunctionDecoder& d) {
  d.expect_operands(2, 3);
  if (bytes_of(d.type()) != 8) d.unsupported("not implemented");
  const std::int64_t alignment = d.operand_count() == 3 ? d.number(d.operand(2)) : 8;
  if (alignment != 1 && alignment != 2 && alignment != 4 && alignment != 8 && alignment != 16)
    d.unsupported("not implemented: this alignment");
  const Ref result = d.destination(d.operand(0), 8), bytes = d.source(d.operand(1), Type::u64);
  if (!result) d.refuse("the result must be a register");
  Op& op = d.emit(extend_stack);
  op.d[0] = result;
  op.s[0] = bytes;
  op.immediate = alignment;
}

/// What alloca took is given back when the function returns, not before: another lane may still use it.
void decode_stacksave(FunctionDecoder& d) {
  d.expect_operands(1, 1);
  const Ref result = d.destination(d.operand(0), bytes_of(d.type()));
  if (!result) return;
  const Ref nothing = d.constant(bytes_of(d.type()), 0);
  Op& op = d.emit(mover(bytes_of(d.type())));
  op.d[0] = result;
  op.s[0] = nothing;
}
void decode_stackrestore(FunctionDecoder& d) {
  d.expect_operands(1, 1);
}

}  // namespace

OpcodeDecoder find_move(std::string_view opcode) {
  if (opcode == "mov") return decode_mov;
  if (opcode == "cvta") return decode_cvta;
  if (opcode == "isspacep") return decode_isspacep;
  if (opcode == "alloca") return decode_alloca;
  if (opcode == "stacksave") return decode_stacksave;
  if (opcode == "stackrestore") return decode_stackrestore;
  return nullptr;
}

}  // namespace twofour::emu::ptx
