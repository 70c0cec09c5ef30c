// atom and red. Lanes act in their order; memory that other blocks share is changed atomically. f32 additions
// in global memory flush subnormals, as PTX says (9.7.13.6); all round to nearest even.
#include <atomic>
#include <cmath>

#include "twofour/emu/numerics/half.h"
#include "twofour/emu/ptx/cta.h"
#include "twofour/emu/ptx/decode.h"
#include "twofour/emu/ptx/qualifiers.h"

namespace twofour::emu::ptx {
namespace {

enum class Kind : std::uint8_t { add, exch, cas, min, max, bit_and, bit_or, bit_xor, inc, dec };

struct AtomicOp {
  Address address;
};

float flush(float x) {
  return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0f, x) : x;
}

/// PTX numbers of 16 bits. Their sums are exact enough in f32: 24 bits are at least 2 p + 2.
struct Half {
  std::uint16_t word;
  float value() const { return half_to_float(word); }
  static std::uint16_t from(float x) { return float_to_half(x); }
};
struct Brain {
  std::uint16_t word;
  float value() const { return std::bit_cast<float>(std::uint32_t(word) << 16); }
  static std::uint16_t from(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    if (x != x) return 0x7fff;
    return std::uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
  }
};

template <class H>
std::uint16_t combine_half(Kind kind, std::uint16_t old, std::uint16_t operand) {
  const float a = H{old}.value(), b = H{operand}.value();
  if (kind == Kind::add) return H::from(a + b);
  if (a != a) return operand;
  if (b != b) return old;
  const bool less = b < a || (b == a && std::signbit(b) && !std::signbit(a));
  return less == (kind == Kind::min) ? operand : old;
}

// How the words of memory are read: W is the word, `apply` the new value. Each type is one struct.
template <class W, class Signed>
struct Integer {
  using Word = W;
  static W apply(Kind kind, W old, W b, bool) {
    switch (kind) {
      case Kind::add: return W(old + b);
      case Kind::exch: return b;
      case Kind::min: return Signed(b) < Signed(old) ? b : old;
      case Kind::max: return Signed(b) > Signed(old) ? b : old;
      case Kind::bit_and: return old & b;
      case Kind::bit_or: return old | b;
      case Kind::bit_xor: return old ^ b;
      case Kind::inc: return old >= b ? 0 : W(old + 1);
      default: return old == 0 || old > b ? b : W(old - 1);  // dec
    }
  }
};
struct Float {
  using Word = std::uint32_t;
  static Word apply(Kind, Word old, Word b, bool shared) {
    const auto x = std::bit_cast<float>(old), y = std::bit_cast<float>(b);
    return std::bit_cast<Word>(shared ? x + y : flush(flush(x) + flush(y)));
  }
};
struct Double {
  using Word = std::uint64_t;
  static Word apply(Kind, Word old, Word b, bool) {
    return std::bit_cast<Word>(std::bit_cast<double>(old) + std::bit_cast<double>(b));
  }
};
template <class H>
struct One {
  using Word = std::uint16_t;
  static Word apply(Kind kind, Word old, Word b, bool) { return combine_half<H>(kind, old, b); }
};
template <class H>
struct Two {
  using Word = std::uint32_t;
  static Word apply(Kind kind, Word old, Word b, bool) {
    const auto low = combine_half<H>(kind, std::uint16_t(old), std::uint16_t(b));
    return low | std::uint32_t(combine_half<H>(kind, std::uint16_t(old >> 16), std::uint16_t(b >> 16))) << 16;
  }
};

template <class T>
void atomic(Warp& warp, const Op& op, std::uint32_t lanes) {
  using Word = typename T::Word;
  const auto& m = *static_cast<const AtomicOp*>(op.data);
  const auto kind = Kind(op.detail);
  Addresses a;
  gather(warp, m.address, lanes, sizeof(Word), sizeof(Word), a);
  const Word* const operand = warp.reg<Word>(op.s[0]);
  Word result[lanes_of_warp];
  visit(warp, op, m.address.window, a, lanes, sizeof(Word), true, [&](const View& v) {
    for_lanes(v.lanes, [&](int l) {
      const std::atomic_ref<Word> word(*reinterpret_cast<Word*>(v.host(a, l)));
      Word old = word.load(std::memory_order_relaxed);
      while (!word.compare_exchange_weak(old, T::apply(kind, old, operand[l], v.shared))) {
      }
      result[l] = old;
    });
  });
  if (op.d[0]) for_lanes(lanes, [&, d = warp.reg<Word>(op.d[0])](int l) { d[l] = result[l]; });
}

template <class Word>
void compare_and_swap(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto& m = *static_cast<const AtomicOp*>(op.data);
  Addresses a;
  gather(warp, m.address, lanes, sizeof(Word), sizeof(Word), a);
  const Word *const compare = warp.reg<Word>(op.s[0]), *const swap = warp.reg<Word>(op.s[1]);
  Word result[lanes_of_warp];
  visit(warp, op, m.address.window, a, lanes, sizeof(Word), true, [&](const View& v) {
    for_lanes(v.lanes, [&](int l) {
      Word old = compare[l];
      std::atomic_ref<Word>(*reinterpret_cast<Word*>(v.host(a, l))).compare_exchange_strong(old, swap[l]);
      result[l] = old;
    });
  });
  if (op.d[0]) for_lanes(lanes, [&, d = warp.reg<Word>(op.d[0])](int l) { d[l] = result[l]; });
}

/// Null for a type that the operation does not take.
Handler handler_of(Kind kind, Type type) {
  const int bytes = bytes_of(type);
  const bool sign = type == Type::s32 || type == Type::s64;
  if (kind == Kind::cas)
    return bytes == 2   ? compare_and_swap<std::uint16_t>
           : bytes == 4 ? compare_and_swap<std::uint32_t>
           : bytes == 8 ? compare_and_swap<std::uint64_t>
                        : nullptr;
  const bool sums = kind == Kind::add || kind == Kind::min || kind == Kind::max;
  switch (type) {
    case Type::f32: return kind == Kind::add ? atomic<Float> : nullptr;
    case Type::f64: return kind == Kind::add ? atomic<Double> : nullptr;
    case Type::f16: return sums ? atomic<One<Half>> : nullptr;
    case Type::bf16: return sums ? atomic<One<Brain>> : nullptr;
    case Type::f16x2: return sums ? atomic<Two<Half>> : nullptr;
    case Type::bf16x2: return sums ? atomic<Two<Brain>> : nullptr;
    default: break;
  }
  if (bytes == 4)
    return sign ? atomic<Integer<std::uint32_t, std::int32_t>>
                : atomic<Integer<std::uint32_t, std::uint32_t>>;
  if (bytes == 8)
    return sign ? atomic<Integer<std::uint64_t, std::int64_t>>
                : atomic<Integer<std::uint64_t, std::uint64_t>>;
  return nullptr;
}

Kind kind_of(const FunctionDecoder& d) {
  constexpr std::pair<std::string_view, Kind> kinds[] = {
      {"add", Kind::add}, {"exch", Kind::exch},   {"cas", Kind::cas},   {"min", Kind::min},
      {"max", Kind::max}, {"and", Kind::bit_and}, {"or", Kind::bit_or}, {"xor", Kind::bit_xor},
      {"inc", Kind::inc}, {"dec", Kind::dec}};
  for (const auto& [name, kind] : kinds)
    if (d.has(name)) return kind;
  d.unsupported("not implemented");
}

void decode_atomic(FunctionDecoder& d, bool returns) {
  check_qualifiers(d,
                   {"add", "exch", "cas", "min", "max", "and", "or", "xor", "inc", "dec", "noftz", "async"});
  const Kind kind = kind_of(d);
  const Type type = d.type();
  const Handler handler = handler_of(kind, type);
  if (handler == nullptr) d.unsupported("not implemented");
  const std::size_t first = returns ? 1 : 0, sources = kind == Kind::cas ? 2 : 1;
  d.expect_operands(first + 1 + sources, first + 2 + sources);  // a cache policy may follow
  const Ref result = returns ? d.destination(d.operand(0), bytes_of(type)) : Ref{};
  const AtomicOp* const data = d.own(AtomicOp{d.address(d.operand(first), window_of(d))});
  std::array<Ref, 5> s = {};
  for (std::size_t k = 0; k < sources; ++k) s[k] = d.source(d.operand(first + 1 + k), type);
  Op& op = d.emit(handler);
  op.d[0] = result;
  op.s = s;
  op.detail = int(kind);
  op.data = data;
}

void decode_atom(FunctionDecoder& d) {
  decode_atomic(d, true);
}
void decode_red(FunctionDecoder& d) {
  decode_atomic(d, false);
}

}  // namespace

OpcodeDecoder find_atomic(std::string_view opcode) {
  if (opcode == "atom") return decode_atom;
  if (opcode == "red") return decode_red;
  return nullptr;
}

}  // namespace twofour::emu::ptx
