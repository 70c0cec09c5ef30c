// add sub mul fma mad div abs neg min max of f32, and rcp and sqrt of f32 with a rounding mode. To nearest
// they are the processor's; in other modes a double with an odd last bit is rounded.
#include "twofour/emu/ptx/alu_f32.h"

#include "twofour/emu/ptx/alu_decode.h"

namespace twofour::emu::ptx {
namespace {

template <Round mode>
TWOFOUR_ALWAYS_INLINE float narrow_f32(double x) {
  return f32_from(u32(narrow<F32, mode>(x)));
}

struct Add {
  template <Round mode>
  static TWOFOUR_ALWAYS_INLINE float of(float a, float b) {
    if constexpr (mode == Round::nearest_even) return a + b;
    return narrow_f32<mode>(odd_sum<mode>(a, b));
  }
};
struct Subtract {
  template <Round mode>
  static TWOFOUR_ALWAYS_INLINE float of(float a, float b) {
    if constexpr (mode == Round::nearest_even) return a - b;
    return narrow_f32<mode>(odd_sum<mode>(a, -double(b)));
  }
};
struct Multiply {
  template <Round mode>
  static TWOFOUR_ALWAYS_INLINE float of(float a, float b) {
    if constexpr (mode == Round::nearest_even) return a * b;
    return narrow_f32<mode>(double(a) * double(b));
  }
};
struct MultiplyAdd {
  template <Round mode>
  static TWOFOUR_ALWAYS_INLINE float of(float a, float b, float c) {
    if constexpr (mode == Round::nearest_even) return __builtin_fmaf(a, b, c);
    return narrow_f32<mode>(odd_sum<mode>(double(a) * double(b), c));
  }
};
struct Divide {
  template <Round mode>
  static TWOFOUR_ALWAYS_INLINE float of(float a, float b) {
    if constexpr (mode == Round::nearest_even) return a / b;
    const double quotient = double(a) / double(b), rest = __builtin_fma(-quotient, double(b), double(a));
    return narrow_f32<mode>(to_odd(quotient, b < 0 ? -rest : rest));
  }
};
struct Reciprocal {
  template <Round mode>
  static TWOFOUR_ALWAYS_INLINE float of(float a) {
    return Divide::of<mode>(1.0f, a);
  }
};
struct SquareRoot {
  template <Round mode>
  static TWOFOUR_ALWAYS_INLINE float of(float a) {
    if constexpr (mode == Round::nearest_even) return __builtin_sqrtf(a);
    const double root = __builtin_sqrt(double(a));
    return narrow_f32<mode>(to_odd(root, __builtin_fma(-root, root, double(a))));
  }
};


/// The lanes of Operation; `arity` sources.
template <class Operation, int arity, Round mode, bool ftz, bool sat>
AluFunction compiled() {
  const auto pick = [](auto operation) {
    if constexpr (mode == Round::nearest_even && !sat)
      return lanes(operation);
    else
      return rare(operation);
  };
  if constexpr (arity == 1)
    return pick([](float a) TWOFOUR_LANE {
      return f32_result<ftz, sat>(Operation::template of<mode>(flushed<ftz>(a)));
    });
  else if constexpr (arity == 2)
    return pick([](float a, float b) TWOFOUR_LANE {
      return f32_result<ftz, sat>(Operation::template of<mode>(flushed<ftz>(a), flushed<ftz>(b)));
    });
  else
    return pick([](float a, float b, float c) TWOFOUR_LANE {
      return f32_result<ftz, sat>(
          Operation::template of<mode>(flushed<ftz>(a), flushed<ftz>(b), flushed<ftz>(c)));
    });
}

template <class Operation, int arity, bool ftz, bool sat>
AluFunction in_mode(Round mode) {
  switch (mode) {
    case Round::nearest_even: return compiled<Operation, arity, Round::nearest_even, ftz, sat>();
    case Round::toward_zero: return compiled<Operation, arity, Round::toward_zero, ftz, sat>();
    case Round::downward: return compiled<Operation, arity, Round::downward, ftz, sat>();
    default: return compiled<Operation, arity, Round::upward, ftz, sat>();
  }
}
/// Without .sat.
template <class Operation, int arity>
AluFunction rounded(Round mode, bool ftz) {
  return with_flag(ftz, [mode]<bool flushes>() { return in_mode<Operation, arity, flushes, false>(mode); });
}

template <class Operation, int arity>
AluFunction take_rounded(Decoder& d) {
  const Round mode = d.take_rounding();
  const bool ftz = d.take("ftz");
  if (!d.take("sat")) return rounded<Operation, arity>(mode, ftz);
  return with_flag(ftz, [mode]<bool flushes>() { return in_mode<Operation, arity, flushes, true>(mode); });
}

template <bool ftz>
TWOFOUR_ALWAYS_INLINE float approximate_quotient(float a, float b) {
  const float magnitude = f32_from(bits_of(b) & 0x7fffffff);
  const bool huge = (magnitude > 0x1p126f) & (magnitude < f32_from(0x7f800000));
  const float divisor = huge ? b * f32_from(0x7f800000) : b;
  return f32_result<ftz, false>(a / divisor);
}

Alu divide(Decoder& d) {
  const Type f = Type::f32;
  switch (d.take_one({"approx", "full"})) {
    case 0:
      return d.alu(with_flag(d.take("ftz"), []<bool ftz>() {
                     return lanes([](float a, float b) TWOFOUR_LANE {
                       return approximate_quotient<ftz>(flushed<ftz>(a), flushed<ftz>(b));
                     });
                   }), {f}, {f, f}, true);
    case 1: return d.alu(rounded<Divide, 2>(Round::nearest_even, d.take("ftz")), {f}, {f, f}, true);
    default:
      if (!d.has_rounding()) d.refuse(".approx, .full or a rounding mode is needed");
      {
        const Round mode = d.take_rounding();
        return d.alu(rounded<Divide, 2>(mode, d.take("ftz")), {f}, {f, f});
      }
  }
}

/// Place in the order -inf .. -0, +0 .. inf.
TWOFOUR_ALWAYS_INLINE s32 order(float x) {
  const s32 word = s32(bits_of(x));
  return word ^ s32(u32(word >> 31) >> 1);
}

template <bool greatest, bool nan>
TWOFOUR_ALWAYS_INLINE float extreme(float a, float b) {
  const float chosen = (order(a) < order(b)) == greatest ? b : a;
  if constexpr (nan) return is_nan(a) | is_nan(b) ? f32_from(f32_nan) : chosen;
  return is_nan(a) ? b : is_nan(b) ? a : chosen;
}
template <bool greatest, bool nan>
TWOFOUR_ALWAYS_INLINE float signed_extreme(float a, float b) {
  const u32 sign = (bits_of(a) ^ bits_of(b)) & 0x80000000;
  const float chosen = extreme<greatest, nan>(f32_from(bits_of(a) & 0x7fffffff), f32_from(bits_of(b) & 0x7fffffff));
  return f32_from(bits_of(chosen) | sign);
}

template <bool greatest>
Alu decode_extreme(Decoder& d) {
  const Type f = Type::f32;
  const bool three = d.operand_count() == 4, absolute = d.take("abs"), product_sign = d.take("xorsign");
  if (product_sign != absolute && !(three && absolute)) d.refuse(".xorsign and .abs stand together");
  const auto run = with_flag(d.take("ftz"), [&]<bool ftz>() {
    return with_flag(d.take("NaN"), [&]<bool nan>() {
      if (three)
        return with_flag(absolute, []<bool magnitudes>() {
          return rare([](float a, float b, float c) TWOFOUR_LANE {
            constexpr u32 mask = magnitudes ? 0x7fffffff : 0xffffffff;
            a = f32_from(bits_of(flushed<ftz>(a)) & mask);
            b = f32_from(bits_of(flushed<ftz>(b)) & mask);
            c = f32_from(bits_of(flushed<ftz>(c)) & mask);
            return f32_result<ftz, false>(extreme<greatest, nan>(extreme<greatest, nan>(a, b), c));
          });
        });
      if (absolute)
        return rare([](float a, float b) TWOFOUR_LANE {
          return f32_result<ftz, false>(signed_extreme<greatest, nan>(flushed<ftz>(a), flushed<ftz>(b)));
        });
      return lanes([](float a, float b) TWOFOUR_LANE {
        return f32_result<ftz, false>(extreme<greatest, nan>(flushed<ftz>(a), flushed<ftz>(b)));
      });
    });
  });
  return three ? d.alu(run, {f}, {f, f, f}) : d.alu(run, {f}, {f, f});
}

AluFunction negate_or_abs(bool ftz, bool absolute) {
  return with_flag(ftz, [absolute]<bool flushes>() {
    return absolute ? lanes([](float a) TWOFOUR_LANE {
      return f32_result<flushes, false>(f32_from(bits_of(a) & 0x7fffffff));
    })
                    : lanes([](float a) TWOFOUR_LANE {
                        return f32_result<flushes, false>(f32_from(bits_of(a) ^ 0x80000000));
                      });
  });
}

}  // namespace

Alu decode_f32(Decoder& d, Arithmetic operation) {
  const Type f = d.type();
  switch (operation) {
    case Arithmetic::add: return d.alu(take_rounded<Add, 2>(d), {f}, {f, f});
    case Arithmetic::sub: return d.alu(take_rounded<Subtract, 2>(d), {f}, {f, f});
    case Arithmetic::mul: return d.alu(take_rounded<Multiply, 2>(d), {f}, {f, f});
    case Arithmetic::fma: return d.alu(take_rounded<MultiplyAdd, 3>(d), {f}, {f, f, f});
    case Arithmetic::div: return divide(d);
    case Arithmetic::abs:
    case Arithmetic::neg:
      return d.alu(negate_or_abs(d.take("ftz"), operation == Arithmetic::abs), {f}, {f});
    case Arithmetic::min: return decode_extreme<false>(d);
    case Arithmetic::max: return decode_extreme<true>(d);
  }
  d.refuse("no such operation");
}

AluFunction reciprocal_f32(Round mode, bool ftz) {
  return rounded<Reciprocal, 1>(mode, ftz);
}
AluFunction square_root_f32(Round mode, bool ftz) {
  return rounded<SquareRoot, 1>(mode, ftz);
}

}  // namespace twofour::emu::ptx
