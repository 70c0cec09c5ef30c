#include "twofour/nas/train/mixed_rounding.h"

#include <cstring>

#include "twofour/emu/numerics/simd_dispatch.h"

// Compiled with -ffp-contract=off: every SIMD level gives the bits of the plain definition.

namespace twofour::nas {
namespace {

/// Sums are kept in this many lanes on every processor, so that all give the same bits.
constexpr int lanes = 16;

TWOFOUR_ALWAYS_INLINE std::uint32_t bits_of(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}
TWOFOUR_ALWAYS_INLINE float float_of(std::uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

/// Drops `dropped` fraction bits, ties to even; NaN stays.
template <int dropped>
TWOFOUR_ALWAYS_INLINE float round_fraction(float x) {
  const std::uint32_t bits = bits_of(x), odd = bits >> dropped & 1u;
  const float rounded = float_of((bits + ((1u << (dropped - 1)) - 1 + odd)) & ~((1u << dropped) - 1));
  return x != x ? x : rounded;
}

/// To tf32 and back: ties away from zero; NaN stays.
TWOFOUR_ALWAYS_INLINE float round_tf32_lane(float x) {
  const float rounded = float_of((bits_of(x) + 0x1000u) & ~0x1fffu);
  return x != x ? x : rounded;
}

/// To f16 and back: below 2^-14 halves are multiples of 2^-24, the spacing of floats in [0.5, 1).
TWOFOUR_ALWAYS_INLINE float round_f16(float x) {
  const float magnitude = __builtin_fabsf(x), normal = __builtin_fabsf(round_fraction<13>(x));
  const float rounded = magnitude < 0x1p-14f ? (magnitude + 0.5f) - 0.5f : normal;
  return __builtin_copysignf(rounded > 65504.0f ? __builtin_inff() : rounded, x);
}

template <Precision precision>
TWOFOUR_ALWAYS_INLINE float round_float(float x) {
  switch (precision) {
    case Precision::f16: return round_f16(x);
    case Precision::bf16: return round_fraction<16>(x);
    case Precision::tf32: return round_tf32_lane(x);
    default: return x;
  }
}

TWOFOUR_ALWAYS_INLINE float clamped_code(float scaled, float low, float high) {
  const float code = __builtin_floorf(scaled + 0.5f);
  return code < low ? low : code > high ? high : code;
}

struct Forward {
  const float* x;
  float* sum;
  int n;
  float share;
};

struct Backward {
  const float *x, *g;
  float* pass;
  int n;
  float share;
  float (&share_sum)[lanes];
  float (&step_sum)[lanes];
};

template <Precision precision>
TWOFOUR_ALWAYS_INLINE void add_float(const Forward& a) {
  const float* x = a.x;
  float* sum = a.sum;
  const float share = a.share;
  for (int i = 0; i < a.n; ++i) sum[i] += share * round_float<precision>(x[i]);
}

TWOFOUR_ALWAYS_INLINE void add_codes(const Forward& a, const Rounding& r) {
  const float *x = a.x, inverse = 1 / r.step, weight = a.share * r.step, low = r.low, high = r.high;
  float* sum = a.sum;
  for (int i = 0; i < a.n; ++i) sum[i] += clamped_code(x[i] * inverse, low, high) * weight;
}

TWOFOUR_ALWAYS_INLINE void add_signs(const Forward& a, const Rounding& r) {
  const float *x = a.x, weight = a.share * r.step;
  float* sum = a.sum;
  for (int i = 0; i < a.n; ++i) sum[i] += x[i] >= 0 ? weight : -weight;
}

TWOFOUR_ALWAYS_INLINE void dot(const float* a, const float* b, int n, float (&sums)[lanes]) {
  constexpr int width = 4, parts = lanes / width;
  using Vector = float __attribute__((vector_size(width * sizeof(float))));
  Vector sum[parts]{}, x, y;
  int i = 0;
  for (; i + lanes <= n; i += lanes)
    for (int p = 0; p < parts; ++p) {
      std::memcpy(&x, a + i + p * width, sizeof x);
      std::memcpy(&y, b + i + p * width, sizeof y);
      sum[p] += x * y;
    }
  std::memcpy(sums, sum, sizeof sum);
  for (int l = 0; i + l < n; ++l) sums[l] += a[i + l] * b[i + l];
}

template <Precision precision>
TWOFOUR_ALWAYS_INLINE void float_backward(const Backward& a) {
  const float *x = a.x, share = a.share;
  float *pass = a.pass, rounded[rounding_block];
  for (int i = 0; i < a.n; ++i) {
    pass[i] += share;
    rounded[i] = round_float<precision>(x[i]);
  }
  dot(a.g, rounded, a.n, a.share_sum);
}

TWOFOUR_ALWAYS_INLINE void codes_backward(const Backward& a, const Rounding& r) {
  const float *x = a.x, share = a.share, inverse = 1 / r.step, low = r.low, high = r.high;
  float *pass = a.pass, codes[rounding_block], slopes[rounding_block];
  for (int i = 0; i < a.n; ++i) {
    const float v = x[i] * inverse, code = clamped_code(v, low, high);
    const float clamped = v < low ? low : v > high ? high : v;
    const bool inside = clamped == v;
    pass[i] += inside ? share : 0.0f;
    codes[i] = code;
    slopes[i] = code - (inside ? v : 0.0f);
  }
  dot(a.g, codes, a.n, a.share_sum);
  dot(a.g, slopes, a.n, a.step_sum);
}

TWOFOUR_ALWAYS_INLINE void signs_backward(const Backward& a) {
  const float *x = a.x, share = a.share;
  float *pass = a.pass, signs[rounding_block];
  for (int i = 0; i < a.n; ++i) {
    pass[i] += share;
    signs[i] = x[i] >= 0 ? 1.0f : -1.0f;
  }
  dot(a.g, signs, a.n, a.share_sum);
  std::memcpy(a.step_sum, a.share_sum, sizeof a.share_sum);
}

TWOFOUR_ALWAYS_INLINE void forward_body(const Forward& a, const Rounding& r) {
  switch (r.precision) {
    case Precision::f32: return add_float<Precision::f32>(a);
    case Precision::f16: return add_float<Precision::f16>(a);
    case Precision::bf16: return add_float<Precision::bf16>(a);
    case Precision::tf32: return add_float<Precision::tf32>(a);
    case Precision::integer: return r.sign_only ? add_signs(a, r) : add_codes(a, r);
  }
}

TWOFOUR_ALWAYS_INLINE void backward_body(const Backward& a, const Rounding& r) {
  switch (r.precision) {
    case Precision::f32: return float_backward<Precision::f32>(a);
    case Precision::f16: return float_backward<Precision::f16>(a);
    case Precision::bf16: return float_backward<Precision::bf16>(a);
    case Precision::tf32: return float_backward<Precision::tf32>(a);
    case Precision::integer: return r.sign_only ? signs_backward(a) : codes_backward(a, r);
  }
}

using emu::simd_level;
using emu::SimdLevel;
TWOFOUR_SIMD_VARIANTS(forward, (const Forward& a, const Rounding& r), forward_body(a, r))
TWOFOUR_SIMD_VARIANTS(backward, (const Backward& a, const Rounding& r), backward_body(a, r))

double total(const float (&sums)[lanes]) {
  double all = 0;
  for (float s : sums) all += double(s);
  return all;
}

}  // namespace

Rounding input_rounding(Quantiser q, float step) {
  if (!is_integer(q)) return {q.precision, false, 1, 0, 0};
  return {q.precision, false, step, 0, float(activation_levels(q))};
}

Rounding weight_rounding(Quantiser q, float step) {
  if (!is_integer(q)) return {q.precision, false, 1, 0, 0};
  const float high = float(weight_levels(q));
  return {q.precision, q.weight_bits == 1, step, -high, high};
}

void add_rounded(const Rounding& rounding, float share, const float* x, int n, float* sum) {
  forward({x, sum, n, share}, rounding);
}

RoundingGradient add_backward(const Rounding& rounding, float share, const float* x, const float* g, int n,
                              float* pass) {
  float share_sum[lanes] = {}, step_sum[lanes] = {};
  backward({x, g, pass, n, share, share_sum, step_sum}, rounding);
  return {total(share_sum) * double(rounding.step), total(step_sum)};
}

}  // namespace twofour::nas
