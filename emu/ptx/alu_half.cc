// add sub mul fma abs neg min max of f16 and bf16, alone and in pairs.
#include "twofour/emu/ptx/alu_half.h"

#include "twofour/emu/ptx/alu_decode.h"

namespace twofour::emu::ptx {
namespace {

/// What happens to a result.
enum class After { nothing, sat, relu };

/// .sat: to [0, 1], NaN and -0 to +0. .relu: negative values and -0 to +0, a NaN stays one.
template <bool ftz, After after, class H>
TWOFOUR_ALWAYS_INLINE H result(double exact) {
  const H x = flushed<ftz>(to_half<H>(exact));
  const bool negative = (x.word & 0x8000) != 0;
  if constexpr (after == After::relu) return negative ? H{0} : x;
  if constexpr (after == After::sat) {
    constexpr u16 one = H::bias << H::fraction;
    return negative | is_nan(x) ? H{0} : H{x.word < one ? x.word : one};
  }
  return x;
}

struct Add {
  static constexpr int arity = 2;
  static TWOFOUR_ALWAYS_INLINE double of(double a, double b) { return odd_sum<Round::nearest_even>(a, b); }
};
struct Subtract {
  static constexpr int arity = 2;
  static TWOFOUR_ALWAYS_INLINE double of(double a, double b) { return odd_sum<Round::nearest_even>(a, -b); }
};
struct Multiply {
  static constexpr int arity = 2;
  static TWOFOUR_ALWAYS_INLINE double of(double a, double b) { return a * b; }
};
struct MultiplyAdd {
  static constexpr int arity = 3;
  static TWOFOUR_ALWAYS_INLINE double of(double a, double b, double c) {
    return odd_sum<Round::nearest_even>(a * b, c);
  }
};

template <class Operation, bool ftz, After after>
struct Element {
  template <class H, class... More>
  TWOFOUR_ALWAYS_INLINE H operator()(H a, More... more) const {
    return result<ftz, after, H>(Operation::of(double(widen(flushed<ftz>(a))), double(widen(flushed<ftz>(more)))...));
  }
};

template <class T, class E>
AluFunction binary() {
  return rare([](T a, T b) TWOFOUR_LANE { return on_halves(E{}, a, b); });
}

/// Pairs without modifiers are what kernels compute with.
template <class T, class Operation, bool ftz, After after>
AluFunction compiled() {
  constexpr bool common = sizeof(T) == 4 && !ftz && after == After::nothing;
  const auto pick = [](auto operation) {
    if constexpr (common)
      return lanes(operation);
    else
      return rare(operation);
  };
  using E = Element<Operation, ftz, after>;
  if constexpr (Operation::arity == 2)
    return pick([](T a, T b) TWOFOUR_LANE { return on_halves(E{}, a, b); });
  else
    return pick([](T a, T b, T c) TWOFOUR_LANE { return on_halves(E{}, a, b, c); });
}
template <class Operation, bool ftz, After after>
AluFunction arithmetic(Type type) {
  return for_halves(type, []<class T>() { return compiled<T, Operation, ftz, after>(); });
}

template <class Operation>
AluFunction arithmetic(Decoder& d) {
  const Type type = d.type();
  d.take("rn");
  const bool ftz = is_f16(type) && d.take("ftz");
  const bool sat = is_f16(type) && d.take("sat"), relu = Operation::arity == 3 && d.take("relu");
  if (sat && relu) d.refuse(".sat and .relu exclude each other");
  return with_flag(ftz, [&]<bool flushes>() {
    if (sat) return arithmetic<Operation, flushes, After::sat>(type);
    if constexpr (Operation::arity == 3)
      if (relu) return arithmetic<Operation, flushes, After::relu>(type);
    return arithmetic<Operation, flushes, After::nothing>(type);
  });
}

template <class H>
TWOFOUR_ALWAYS_INLINE H canonical(H x) {
  return is_nan(x) ? H{u16(H::nan)} : x;
}

template <bool greatest, bool nan, bool product_sign, bool ftz>
struct Extreme {
  /// Place in the order -inf .. -0, +0 .. inf.
  static TWOFOUR_ALWAYS_INLINE int order(u16 word) {
    return (word & 0x8000) != 0 ? ~int(word & 0x7fff) : int(word);
  }
  template <class H>
  TWOFOUR_ALWAYS_INLINE H operator()(H a, H b) const {
    a = flushed<ftz>(a);
    b = flushed<ftz>(b);
    constexpr u16 mask = product_sign ? 0x7fff : 0xffff;
    const H x{u16(a.word & mask)}, y{u16(b.word & mask)};
    const H chosen = (order(x.word) < order(y.word)) == greatest ? y : x;
    const bool none = nan ? is_nan(a) | is_nan(b) : is_nan(a) & is_nan(b);
    const u16 number = is_nan(a) ? y.word : is_nan(b) ? x.word : chosen.word;
    const u16 sign = product_sign ? u16((a.word ^ b.word) & 0x8000) : u16(0);
    return none ? H{u16(H::nan)} : H{u16(number | sign)};
  }
};

template <bool greatest>
AluFunction extreme(Decoder& d) {
  const Type type = d.type();
  const bool product_sign = d.take("xorsign");
  if (d.take("abs") != product_sign) d.refuse(".xorsign and .abs stand together");
  return with_flag(d.take("NaN"), [&]<bool nan>() {
    return with_flag(product_sign, [&]<bool xorsign>() {
      return with_flag(is_f16(type) && d.take("ftz"), [&]<bool ftz>() {
        return for_halves(type, []<class T>() { return binary<T, Extreme<greatest, nan, xorsign, ftz>>(); });
      });
    });
  });
}

template <bool absolute, bool ftz>
struct Sign {
  template <class H>
  TWOFOUR_ALWAYS_INLINE H operator()(H a) const {
    a = flushed<ftz>(a);
    return canonical(H{u16(absolute ? a.word & 0x7fff : a.word ^ 0x8000)});
  }
};

template <bool absolute>
AluFunction sign(Decoder& d) {
  const Type type = d.type();
  return with_flag(is_f16(type) && d.take("ftz"), [type]<bool ftz>() {
    return for_halves(type, []<class T>() {
      return rare([](T a) TWOFOUR_LANE { return on_halves(Sign<absolute, ftz>{}, a); });
    });
  });
}

}  // namespace

Alu decode_half(Decoder& d, Arithmetic operation) {
  const Type h = d.type();
  switch (operation) {
    case Arithmetic::add: return d.alu(arithmetic<Add>(d), {h}, {h, h});
    case Arithmetic::sub: return d.alu(arithmetic<Subtract>(d), {h}, {h, h});
    case Arithmetic::mul: return d.alu(arithmetic<Multiply>(d), {h}, {h, h});
    case Arithmetic::fma: return d.alu(arithmetic<MultiplyAdd>(d), {h}, {h, h, h});
    case Arithmetic::abs: return d.alu(sign<true>(d), {h}, {h});
    case Arithmetic::neg: return d.alu(sign<false>(d), {h}, {h});
    case Arithmetic::min: return d.alu(extreme<false>(d), {h}, {h, h});
    case Arithmetic::max: return d.alu(extreme<true>(d), {h}, {h, h});
    case Arithmetic::div: break;
  }
  d.refuse("no such operation on halves");
}

}  // namespace twofour::emu::ptx
