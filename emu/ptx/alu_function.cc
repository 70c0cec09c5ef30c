// rcp sqrt rsqrt sin cos lg2 ex2 tanh, and copysign and testp. An approximate function is computed in double
// and rounded to nearest: far inside the errors that PTX allows.
#include "twofour/emu/ptx/alu_decode.h"
#include "twofour/emu/ptx/alu_f32.h"
#include "twofour/emu/ptx/alu_half.h"

namespace twofour::emu::ptx {
namespace {

/// A function from double to double on f32.
template <class F>
AluFunction of_f32(bool ftz, F) {
  return with_flag(ftz, []<bool flushes>() {
    return rare(
        [](float a) TWOFOUR_LANE { return f32_result<flushes, false>(float(F{}(double(flushed<flushes>(a))))); });
  });
}
template <class F, bool ftz>
struct HalfFunction {
  template <class H>
  TWOFOUR_ALWAYS_INLINE H operator()(H a) const {
    return flushed<ftz>(to_half<H>(F{}(double(widen(flushed<ftz>(a))))));
  }
};
template <class F>
AluFunction of_half(Type type, bool ftz, F) {
  return with_flag(ftz, [type]<bool flushes>() {
    return for_halves(
        type, []<class T>() { return rare([](T a) TWOFOUR_LANE { return on_halves(HalfFunction<F, flushes>{}, a); }); });
  });
}

template <class F>
Alu approximate_f32(Decoder& d, F function) {
  const Type f = d.type();
  if (!d.take("approx")) d.refuse(".approx is needed");
  if (f != Type::f32) d.refuse("the type is .f32");
  return d.alu(of_f32(d.take("ftz"), function), {f}, {f}, true);
}

constexpr u64 high_word = u64(0xffffffff) << 32;

/// The functions of f64 that see the upper words of numbers only: subnormals are zeros, the result has 20
/// bits of fraction.
template <class F>
AluFunction of_upper_word(F) {
  return rare([](double a) TWOFOUR_LANE {
    const auto flush_f64 = [](u64 word) { return (word << 1 >> 53) == 0 ? word & u64(1) << 63 : word; };
    const double upper = f64_from(flush_f64(bits_of(a) & high_word));
    const u64 word = bits_of(F{}(upper));
    if (is_nan(a) | is_nan(f64_from(word))) return f64_from(u64(f32_nan) << 32);
    return f64_from(flush_f64((word + (u64(1) << 31)) & high_word));
  });
}

Alu reciprocal_or_root(Decoder& d, AluFunction (*f32)(Round, bool), AluFunction (*f64)(Round),
                       AluFunction upper_word) {
  const Type f = d.type();
  const bool approximate = d.take("approx");
  if (!approximate && !d.has_rounding()) d.refuse(".approx or a rounding mode is needed");
  const Round mode = approximate ? Round::nearest_even : d.take_rounding();
  if (f == Type::f32) return d.alu(f32(mode, d.take("ftz")), {f}, {f}, approximate);
  if (f != Type::f64) d.refuse("the type is .f32 or .f64");
  if (!approximate) return d.alu(f64(mode), {f}, {f});
  if (!d.take("ftz")) d.refuse(".ftz is needed");
  return d.alu(upper_word, {f}, {f}, true);
}

enum class Class { finite, infinite, number, nan, normal, subnormal };

/// A zero counts as normal.
template <Class wanted, int fraction, class Word>
TWOFOUR_ALWAYS_INLINE bool is_of(Word word) {
  const Word magnitude = Word(word << 1) >> 1;
  const Word infinity = Word(~Word(0)) << 1 >> 1 >> fraction << fraction;
  const bool small = magnitude >> fraction == 0;
  if constexpr (wanted == Class::finite) return magnitude < infinity;
  if constexpr (wanted == Class::infinite) return magnitude == infinity;
  if constexpr (wanted == Class::number) return magnitude <= infinity;
  if constexpr (wanted == Class::nan) return magnitude > infinity;
  if constexpr (wanted == Class::normal) return (magnitude < infinity) & (!small | (magnitude == 0));
  return small & (magnitude != 0);
}
template <Class wanted>
AluFunction test(Type type) {
  if (type == Type::f32) return rare([](u32 a) TWOFOUR_LANE { return is_of<wanted, 23>(a); });
  return type == Type::f64 ? rare([](u64 a) TWOFOUR_LANE { return is_of<wanted, 52>(a); }) : nullptr;
}

}  // namespace

Alu decode_rcp(Decoder& d) {
  return reciprocal_or_root(d, reciprocal_f32, reciprocal_f64,
                            of_upper_word([](double a) TWOFOUR_LANE { return 1 / a; }));
}
Alu decode_sqrt(Decoder& d) {
  if (d.type() == Type::f64 && !d.has_rounding()) d.refuse("a rounding mode is needed");
  return reciprocal_or_root(d, square_root_f32, square_root_f64, nullptr);
}

Alu decode_rsqrt(Decoder& d) {
  const Type f = d.type();
  if (!d.take("approx")) d.refuse(".approx is needed");
  const bool ftz = d.take("ftz");
  if (f == Type::f32)
    return d.alu(with_flag(ftz, []<bool flushes>() {
                   return lanes([](float a) TWOFOUR_LANE {
                     return f32_result<flushes, false>(float(1 / __builtin_sqrt(double(flushed<flushes>(a)))));
                   });
                 }), {f}, {f}, true);
  if (f != Type::f64) d.refuse("the type is .f32 or .f64");
  if (ftz)
    return d.alu(of_upper_word([](double a) TWOFOUR_LANE { return 1 / __builtin_sqrt(a); }), {f}, {f}, true);
  return d.alu(rare([](double a) TWOFOUR_LANE { return f64_result(1 / __builtin_sqrt(a), a); }), {f}, {f}, true);
}

Alu decode_sin(Decoder& d) {
  return approximate_f32(d, [](double a) { return __builtin_sin(a); });
}
Alu decode_cos(Decoder& d) {
  return approximate_f32(d, [](double a) { return __builtin_cos(a); });
}
Alu decode_lg2(Decoder& d) {
  return approximate_f32(d, [](double a) { return __builtin_log2(a); });
}
Alu decode_ex2(Decoder& d) {
  const auto exponential = [](double a) { return __builtin_exp2(a); };
  const Type h = d.type();
  if (!is_half(h)) return approximate_f32(d, exponential);
  if (!d.take("approx")) d.refuse(".approx is needed");
  if (!is_f16(h) && !d.take("ftz")) d.refuse(".ftz is needed");
  return d.alu(of_half(h, !is_f16(h), exponential), {h}, {h}, true);
}
Alu decode_tanh(Decoder& d) {
  const auto tangent = [](double a) { return __builtin_tanh(a); };
  const Type h = d.type();
  if (!is_half(h)) return approximate_f32(d, tangent);
  if (!d.take("approx")) d.refuse(".approx is needed");
  return d.alu(of_half(h, false, tangent), {h}, {h}, true);
}

Alu decode_copysign(Decoder& d) {
  const Type f = d.type();
  if (f == Type::f32)
    return d.alu(rare([](u32 a, u32 b) TWOFOUR_LANE { return (a & 0x80000000) | (b & 0x7fffffff); }), {f},
                 {f, f});
  if (f != Type::f64) d.refuse("the type is .f32 or .f64");
  return d.alu(rare([](u64 a, u64 b) TWOFOUR_LANE { return (a >> 63 << 63) | b << 1 >> 1; }), {f}, {f, f});
}

Alu decode_testp(Decoder& d) {
  const Type f = d.type();
  AluFunction run = nullptr;
  switch (d.take_one({"finite", "infinite", "number", "notanumber", "normal", "subnormal"})) {
    case 0: run = test<Class::finite>(f); break;
    case 1: run = test<Class::infinite>(f); break;
    case 2: run = test<Class::number>(f); break;
    case 3: run = test<Class::nan>(f); break;
    case 4: run = test<Class::normal>(f); break;
    case 5: run = test<Class::subnormal>(f); break;
    default: d.refuse("a class of numbers is needed");
  }
  return d.alu(run, {Type::pred}, {f});
}

}  // namespace twofour::emu::ptx
