#include "twofour/emu/ptx/alu_convert.h"

#include <cmath>

#include "twofour/emu/ptx/alu_integer.h"

namespace twofour::emu::ptx {
namespace {

double float_value(Type type, u64 word, bool ftz) {
  switch (type) {
    case Type::f16: return widen(F16{u16(word)});
    case Type::bf16: return widen(Bf16{u16(word)});
    case Type::f32: return ftz ? flush(f32_from(u32(word))) : f32_from(u32(word));
    default: return f64_from(word);
  }
}

s128 integer_value(Type type, u64 word) {
  const int unused = 64 - bits(type);
  return is_signed(type) ? s128(s64(word << unused) >> unused) : s128(word << unused >> unused);
}
s128 highest_of(Type type) {
  return (s128(1) << (bits(type) - (is_signed(type) ? 1 : 0))) - 1;
}
s128 lowest_of(Type type) {
  return is_signed(type) ? -(s128(1) << (bits(type) - 1)) : s128(0);
}

double to_integral(double x, Round mode) {
  switch (mode) {
    case Round::toward_zero: return std::trunc(x);
    case Round::downward: return std::floor(x);
    case Round::upward: return std::ceil(x);
    default: return std::nearbyint(x);
  }
}

u64 float_to_integer(const Conversion& c, double x) {
  if (is_nan(x)) {
    const bool zero = c.from != Type::f64 && bits(c.to) != 64;
    return zero ? 0 : u64(integer_value(c.to, u64(1) << (bits(c.to) - 1)));
  }
  const double rounded = to_integral(x, c.mode);
  if (rounded >= std::ldexp(1.0, bits(c.to) - (is_signed(c.to) ? 1 : 0))) return u64(highest_of(c.to));
  if (rounded < double(lowest_of(c.to))) return u64(lowest_of(c.to));
  return u64(s128(rounded));
}

/// The double nearest in the mode to an integer under 2^64.
double nearest_double(u64 magnitude, bool negative, Round mode) {
  const int shift = magnitude >> 53 == 0 ? 0 : 11 - __builtin_clzll(magnitude);
  const u64 kept = magnitude >> shift, rest = magnitude & ((u64(1) << shift) - 1);
  const u64 half = (u64(1) << shift) / 2;
  const bool up = mode == Round::nearest_even ? rest + (kept & 1) > half && rest != 0
                  : mode == Round::downward   ? negative && rest != 0
                                              : mode == Round::upward && !negative && rest != 0;
  const double value = std::ldexp(double(kept + (up ? 1 : 0)), shift);
  return negative ? -value : value;
}
/// With an odd last bit where it is not exact: what narrow() rounds as the integer itself.
double odd_double(u64 magnitude, bool negative) {
  const bool large = magnitude >> 53 != 0;
  const u64 kept = large ? magnitude >> 11 | ((magnitude & 2047) != 0 ? 1 : 0) : magnitude;
  const double value = double(kept) * (large ? 2048 : 1);
  return negative ? -value : value;
}

u64 float_word(Type type, double x, Round mode) {
  switch (type) {
    case Type::f16: return narrow<F16>(x, mode);
    case Type::bf16: return narrow<Bf16>(x, mode);
    case Type::f32: return narrow<F32>(x, mode);
    default: return is_nan(x) ? bits_of(x) | f64_quiet : bits_of(x);
  }
}

u64 integer_to_float(const Conversion& c, s128 value) {
  const bool negative = value < 0;
  const u64 magnitude = u64(negative ? -value : value);
  if (c.to == Type::f64) return bits_of(nearest_double(magnitude, negative, c.mode));
  return float_word(c.to, odd_double(magnitude, negative), c.mode);
}

u64 float_to_float(const Conversion& c, double x) {
  if (c.integral && !is_nan(x)) x = to_integral(x, c.mode);
  if (c.sat) x = x > 0 ? (x < 1 ? x : 1.0) : 0.0;
  if (c.relu && !is_nan(x)) x = x > 0 ? x : 0.0;
  const u64 word = float_word(c.to, x, c.mode);
  return c.ftz && c.to == Type::f32 ? bits_of(flush(f32_from(u32(word)))) : word;
}

u64 integer_to_integer(const Conversion& c, s128 value) {
  if (!c.sat) return u64(integer_value(c.to, u64(value)));
  return u64(value > highest_of(c.to) ? highest_of(c.to) : value < lowest_of(c.to) ? lowest_of(c.to) : value);
}

u64 load(const void* source, int bytes, int i) {
  switch (bytes) {
    case 1: return lane_value<u8>(source, i);
    case 2: return lane_value<u16>(source, i);
    case 4: return lane_value<u32>(source, i);
    default: return lane_value<u64>(source, i);
  }
}
template <class Word>
void store(const u64* values, const AluCall& call) {
  Word out[lane_count];
  for (int i = 0; i < lane_count; ++i) out[i] = Word(values[i]);
  store_lanes(out, call.d[0], call.active);
}

}  // namespace

bool is_float(Type type) {
  return type == Type::f16 || type == Type::bf16 || type == Type::f32 || type == Type::f64;
}
bool is_signed(Type type) {
  return name(type)[0] == 's';
}

u64 convert(const Conversion& c, u64 word) {
  if (is_float(c.from)) {
    const double x = float_value(c.from, word, c.ftz);
    return is_float(c.to) ? float_to_float(c, x) : float_to_integer(c, x);
  }
  const s128 value = integer_value(c.from, word);
  return is_float(c.to) ? integer_to_float(c, value) : integer_to_integer(c, value);
}

void run_conversion(const Conversion& c, const AluCall& call) {
  u64 out[lane_count];
  for (int i = 0; i < lane_count; ++i) out[i] = convert(c, load(call.s[0], c.from_bytes, i));
  switch (c.to_bytes) {
    case 1: return store<u8>(out, call);
    case 2: return store<u16>(out, call);
    case 4: return store<u32>(out, call);
    default: return store<u64>(out, call);
  }
}

}  // namespace twofour::emu::ptx
