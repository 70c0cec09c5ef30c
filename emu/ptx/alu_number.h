#pragma once
// Floating-point numbers of a lane: formats, rounding, and what all operations do with results. Exact without
// the processor's rounding mode. Private to emu/ptx.
#include "twofour/emu/ptx/alu_lanes.h"

namespace twofour::emu::ptx {

enum class Round : std::uint8_t {
  nearest_even,
  toward_zero,
  downward,
  upward,
  nearest_away  ///< ties away from zero (cvt.rna)
};

/// Formats: bits of the fraction, bias of the exponent, the NaN that results are. Words of lanes, too.
struct F16 {
  static constexpr int fraction = 10, bias = 15;
  static constexpr u64 nan = 0x7fff;
  u16 word;
};
struct Bf16 {
  static constexpr int fraction = 7, bias = 127;
  static constexpr u64 nan = 0x7fff;
  u16 word;
};
struct F32 {
  static constexpr int fraction = 23, bias = 127;
  static constexpr u64 nan = 0x7fffffff;
};
struct Tf32 {
  static constexpr int fraction = 10, bias = 127;
  static constexpr u64 nan = 0x3ffff;  // the upper 19 bits of an f32
};
/// Two of them in a register, the first in the low half.
template <class H>
struct Two {
  u32 word;
};

inline constexpr u32 f32_nan = 0x7fffffff;
inline constexpr u64 f64_nan = 0xfff8000000000000, f64_quiet = u64(1) << 51;

TWOFOUR_ALWAYS_INLINE u32 bits_of(float x) {
  return __builtin_bit_cast(u32, x);
}
TWOFOUR_ALWAYS_INLINE u64 bits_of(double x) {
  return __builtin_bit_cast(u64, x);
}
TWOFOUR_ALWAYS_INLINE float f32_from(u32 word) {
  return __builtin_bit_cast(float, word);
}
TWOFOUR_ALWAYS_INLINE double f64_from(u64 word) {
  return __builtin_bit_cast(double, word);
}
TWOFOUR_ALWAYS_INLINE bool is_nan(float x) {
  return (bits_of(x) & 0x7fffffff) > 0x7f800000;
}
TWOFOUR_ALWAYS_INLINE bool is_nan(double x) {
  return (bits_of(x) & ~(u64(1) << 63)) > u64(0x7ff) << 52;
}

/// Subnormals to zeros of their sign.
TWOFOUR_ALWAYS_INLINE float flush(float x) {
  const u32 word = bits_of(x);
  return f32_from((word & 0x7f800000) == 0 ? word & 0x80000000 : word);
}
template <bool ftz>
TWOFOUR_ALWAYS_INLINE float flushed(float x) {
  if constexpr (ftz)
    return flush(x);
  else
    return x;
}

/// A value as a word of the format without its low bits: the exact rounding of any double.
template <class Format, Round mode>
TWOFOUR_ALWAYS_INLINE u64 narrow(double x) {
  constexpr u64 offset = u64(1023 - Format::bias) << 52, one = u64(1) << 52;
  constexpr int drop = 52 - Format::fraction;
  constexpr u64 exponent_field = u64(2 * Format::bias + 1) << Format::fraction;  // of infinity
  const u64 word = bits_of(x), magnitude = word & ~(u64(1) << 63);
  const bool negative = word >> 63 != 0;
  const bool tiny = magnitude < offset + one;  // subnormal in the format
  const u64 extra = tiny ? (1024 - Format::bias) - (magnitude >> 52) : 0;
  const u64 shift = extra > u64(60 - drop) ? 60 : drop + extra;
  const u64 significand = magnitude == 0 ? 0 : (magnitude & (one - 1)) | one;
  const u64 value = tiny ? significand : magnitude - offset;
  const u64 kept = value >> shift, rest = value & ((u64(1) << shift) - 1), half = u64(1) << (shift - 1);
  bool up = false;
  if constexpr (mode == Round::nearest_even) up = rest + (kept & 1) > half;
  if constexpr (mode == Round::nearest_away) up = rest >= half;
  if constexpr (mode == Round::downward) up = negative & (rest != 0);
  if constexpr (mode == Round::upward) up = !negative & (rest != 0);
  const u64 rounded = kept + (up ? 1 : 0);
  bool to_infinity = mode == Round::nearest_even || mode == Round::nearest_away;
  if constexpr (mode == Round::downward) to_infinity = negative;
  if constexpr (mode == Round::upward) to_infinity = !negative;
  const u64 largest = exponent_field - (to_infinity | (magnitude == u64(0x7ff) << 52) ? 0 : 1);
  const u64 bounded = rounded < largest ? rounded : largest;
  constexpr u64 sign_bit = exponent_field + (u64(1) << Format::fraction);
  return magnitude > u64(0x7ff) << 52 ? Format::nan : (negative ? sign_bit : 0) | bounded;
}
template <class Format>
TWOFOUR_ALWAYS_INLINE u64 narrow(double x, Round mode) {
  switch (mode) {
    case Round::nearest_even: return narrow<Format, Round::nearest_even>(x);
    case Round::toward_zero: return narrow<Format, Round::toward_zero>(x);
    case Round::downward: return narrow<Format, Round::downward>(x);
    case Round::upward: return narrow<Format, Round::upward>(x);
    case Round::nearest_away: return narrow<Format, Round::nearest_away>(x);
  }
  return 0;
}

/// The exact value of a 16-bit float; a NaN stays one.
template <class H>
TWOFOUR_ALWAYS_INLINE float widen(H x) {
  const u32 sign = u32(x.word & 0x8000) << 16;
  if constexpr (H::fraction == 7) {
    return f32_from(u32(x.word) << 16);
  } else {
    const u32 magnitude = u32(x.word & 0x7fff) << 13;
    const u32 scaled = bits_of(f32_from(magnitude) * 0x1p112f);
    return f32_from(sign | (magnitude >= 0x7c00u << 13 ? 0x7f800000 | magnitude : scaled));
  }
}
template <class H>
TWOFOUR_ALWAYS_INLINE H to_half(double x) {
  return H{u16(narrow<H, Round::nearest_even>(x))};
}

/// The double with an odd last bit that encloses nearest + error, |error| under half a unit in the last place
/// of `nearest`, if the error is not zero. narrow() of it is the rounding of the exact value: 53 bits are
/// enough for formats of at most 51 - 1. A NaN in `error` changes nothing.
TWOFOUR_ALWAYS_INLINE double to_odd(double nearest, double error) {
  const u64 word = bits_of(nearest);
  const bool away = (error > 0) == (nearest > 0);
  const u64 odd = (word & 1) != 0 ? word : (away ? word + 1 : word - 1);
  return f64_from((error > 0) | (error < 0) ? odd : word);
}
/// a + b to an odd last bit; a zero sum has the sign of the rounding mode. Finite sums must not overflow.
template <Round mode>
TWOFOUR_ALWAYS_INLINE double odd_sum(double a, double b) {
  const double sum = a + b, part = sum - a;
  const double error = (a - (sum - part)) + (b - part);
  if constexpr (mode == Round::downward) {
    const u64 sign = (bits_of(a) | bits_of(b)) & u64(1) << 63;
    return sum == 0 ? f64_from(sign) : to_odd(sum, error);
  }
  return to_odd(sum, error);
}

/// An f32 result: .ftz, .sat (NaN and -0 to +0), NaN to 0x7fffffff.
template <bool ftz, bool sat>
TWOFOUR_ALWAYS_INLINE float f32_result(float x) {
  x = flushed<ftz>(x);
  if constexpr (sat) {
    const float low = x > 0 ? x : 0.0f;
    return low < 1 ? low : 1.0f;
  }
  return x != x ? f32_from(f32_nan) : x;
}

/// An f64 result: the first NaN among the operands, quiet, else the result; a NaN that no operand gave is
/// 0xfff8000000000000.
TWOFOUR_ALWAYS_INLINE double f64_result(double x) {
  return x != x ? f64_from(f64_nan) : x;
}
template <class... More>
TWOFOUR_ALWAYS_INLINE double f64_result(double x, double operand, More... more) {
  const double rest = f64_result(x, more...);
  return operand != operand ? f64_from(bits_of(operand) | f64_quiet) : rest;
}

/// f on both halves.
template <class H, class F, class... Halves>
TWOFOUR_ALWAYS_INLINE H on_halves(F f, H a, Halves... more) {
  return f(a, more...);
}
template <class H, class F, class... Pairs>
TWOFOUR_ALWAYS_INLINE Two<H> on_halves(F f, Two<H> a, Pairs... more) {
  const H low = f(H{u16(a.word)}, H{u16(more.word)}...);
  const H high = f(H{u16(a.word >> 16)}, H{u16(more.word >> 16)}...);
  return {u32(low.word) | u32(high.word) << 16};
}

}  // namespace twofour::emu::ptx
