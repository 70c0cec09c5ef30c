#include "twofour/nas/train/rounding_kernels.h"

#include <cmath>

#include "twofour/emu/numerics/simd_dispatch.h"

namespace twofour::nas {
namespace {

using emu::simd_level;
using emu::SimdLevel;

/// Sums are kept in this many partial sums whatever the width of the processor's registers, so that all give
/// the same bits.
constexpr int lanes = 16;

/// floor for |t| < 2^22 without an instruction that the baseline lacks; NaN stays NaN.
TWOFOUR_ALWAYS_INLINE float floor_small(float t) {
  constexpr float shift = 12582912;  // 1.5 * 2^23: its unit in the last place is 1
  const float nearest = (t + shift) - shift;
  return nearest - (nearest > t ? 1.0f : 0.0f);
}

/// The nearest integer (halves upwards) of low .. high, which are integers: clamping first changes nothing.
TWOFOUR_ALWAYS_INLINE float nearest_code(float v, float low, float high) {
  float t = v + 0.5f;
  t = t < low ? low : t;
  t = t > high ? high : t;
  return floor_small(t);
}

/// Sum of term(i) for i = 0 .. n - 1, computed in blocks: a whole block becomes vector instructions.
template <class T, class F>
TWOFOUR_ALWAYS_INLINE double sum_of(std::int64_t n, const F& term) {
  constexpr int block = 16 * lanes;
  T partial[lanes] = {}, terms[block];
  for (std::int64_t first = 0; first < n; first += block) {
    const int count = n - first < block ? int(n - first) : block;
    for (int i = 0; i < count; ++i) terms[i] = term(first + i);
    for (int i = count; i < block; ++i) terms[i] = 0;
    for (int i = 0; i < block; i += lanes)
      for (int lane = 0; lane < lanes; ++lane) partial[lane] += terms[i + lane];
  }
  double sum = 0;
  for (T p : partial) sum += double(p);
  return sum;
}

TWOFOUR_ALWAYS_INLINE void round_body(const float* x, std::int64_t n, float step, float levels, float* to) {
  const float inverse = 1 / step;
  for (std::int64_t i = 0; i < n; ++i) to[i] = nearest_code(x[i] * inverse, 0, levels) * step;
}

TWOFOUR_ALWAYS_INLINE void activation_gradients_body(const float* x, const float* g, std::int64_t n,
                                                     float step, float levels, float* __restrict gx,
                                                     double* sum) {
  const float inverse = 1 / step;
  *sum = sum_of<float>(
      n, [=](std::int64_t i) __attribute__((always_inline)) {
        const float v = x[i] * inverse, code = nearest_code(v, 0, levels);
        const bool inside = (v >= 0) & (v <= levels);
        gx[i] = inside ? g[i] : 0.0f;
        return g[i] * (inside ? code - v : code);
      });
}

TWOFOUR_ALWAYS_INLINE void codes_body(const WeightRow& row, float* codes) {
  const float inverse = 1 / row.step, high = row.levels;
  const float* w = row.weights;
  if (row.single_bit)
    for (std::int64_t i = 0; i < row.count; ++i) codes[i] = w[i] >= 0 ? 1.0f : -1.0f;
  else if (row.keep == nullptr)
    for (std::int64_t i = 0; i < row.count; ++i) codes[i] = nearest_code(w[i] * inverse, -high, high);
  else
    for (std::int64_t i = 0; i < row.count; ++i)
      codes[i] = nearest_code(w[i] * row.keep[i] * inverse, -high, high);
}

struct RowGradients {
  const float* g;
  float share, decay;
  float* gw;
  double* sum;
};

/// Single bits have no inside: the gradient of their step is the code everywhere.
TWOFOUR_ALWAYS_INLINE double single_bit_gradients(const float* w, const float* g, std::int64_t n,
                                                  float* __restrict gw) {
  return sum_of<float>(
      n, [=](std::int64_t i) __attribute__((always_inline)) {
        gw[i] = g[i];
        return w[i] >= 0 ? g[i] : -g[i];
      });
}

TWOFOUR_ALWAYS_INLINE double dense_gradients(const WeightRow& row, const float* g, float* __restrict gw) {
  const float inverse = 1 / row.step, high = row.levels;
  const float* w = row.weights;
  return sum_of<float>(
      row.count, [=](std::int64_t i) __attribute__((always_inline)) {
        const float v = w[i] * inverse, code = nearest_code(v, -high, high);
        const bool inside = std::fabs(v) <= high;
        gw[i] = inside ? g[i] : 0.0f;
        return g[i] * (inside ? code - v : code);
      });
}

TWOFOUR_ALWAYS_INLINE double sparse_gradients(const WeightRow& row, const float* g, float share, float decay,
                                              float* __restrict gw) {
  const float inverse = 1 / row.step, high = row.levels;
  const float *w = row.weights, *keep = row.keep;
  return sum_of<float>(
      row.count, [=](std::int64_t i) __attribute__((always_inline)) {
        const float v = w[i] * keep[i] * inverse, code = nearest_code(v, -high, high);
        const bool inside = std::fabs(v) <= high;
        const float kept = inside ? g[i] : 0.0f, pruned = share * g[i] + decay * w[i];
        gw[i] = keep[i] != 0 ? kept : pruned;
        return g[i] * (inside ? code - v : code);
      });
}

TWOFOUR_ALWAYS_INLINE void row_gradients_body(const WeightRow& row, const RowGradients& to) {
  if (row.single_bit)
    *to.sum = single_bit_gradients(row.weights, to.g, row.count, to.gw);
  else if (row.keep == nullptr)
    *to.sum = dense_gradients(row, to.g, to.gw);
  else
    *to.sum = sparse_gradients(row, to.g, to.share, to.decay, to.gw);
}

template <int width>
TWOFOUR_ALWAYS_INLINE float magnitude(const float* w) {
  return width == 1 ? std::fabs(w[0]) : std::fabs(w[0]) + std::fabs(w[1]);
}

TWOFOUR_ALWAYS_INLINE bool two_of(bool a, bool b, bool c) {
  return (a & b) | (a & c) | (b & c);
}

/// A unit stays if it comes before at least two of the other three; of equals the lower index comes first.
template <int width>
TWOFOUR_ALWAYS_INLINE void two_of_four_body(const float* w, std::int64_t n, float* keep) {
  for (std::int64_t i = 0; i < n; i += 4 * width) {
    const float a = magnitude<width>(w + i), b = magnitude<width>(w + i + width),
                c = magnitude<width>(w + i + 2 * width), d = magnitude<width>(w + i + 3 * width);
    const bool ab = a >= b, ac = a >= c, ad = a >= d, bc = b >= c, bd = b >= d, cd = c >= d;
    const float kept[4] = {two_of(ab, ac, ad) ? 1.0f : 0.0f, two_of(!ab, bc, bd) ? 1.0f : 0.0f,
                           two_of(!ac, !bc, cd) ? 1.0f : 0.0f, two_of(!ad, !bd, !cd) ? 1.0f : 0.0f};
    for (int j = 0; j < 4 * width; ++j) keep[i + j] = kept[j / width];
  }
}

TWOFOUR_ALWAYS_INLINE void one_of_two_body(const float* w, std::int64_t n, float* keep) {
  for (std::int64_t i = 0; i < n; i += 2) {
    const bool first = std::fabs(w[i]) >= std::fabs(w[i + 1]);
    keep[i] = first ? 1.0f : 0.0f;
    keep[i + 1] = first ? 0.0f : 1.0f;
  }
}

TWOFOUR_ALWAYS_INLINE void error_body(const float* values, std::int64_t n, float step, float low, float high,
                                      double* sum) {
  const float inverse = 1 / step;
  *sum = sum_of<double>(
      n, [=](std::int64_t i) __attribute__((always_inline)) {
        const float error = nearest_code(values[i] * inverse, low, high) * step - values[i];
        return double(error) * double(error);
      });
}

TWOFOUR_SIMD_VARIANTS(round_all, (const float* x, std::int64_t n, float step, float levels, float* to),
                      round_body(x, n, step, levels, to))
TWOFOUR_SIMD_VARIANTS(activation_gradients_all,
                      (const float* x, const float* g, std::int64_t n, float step, float levels, float* gx,
                       double* sum),
                      activation_gradients_body(x, g, n, step, levels, gx, sum))
TWOFOUR_SIMD_VARIANTS(codes_all, (const WeightRow& row, float* codes), codes_body(row, codes))
TWOFOUR_SIMD_VARIANTS(row_gradients_all, (const WeightRow& row, const RowGradients& to),
                      row_gradients_body(row, to))
TWOFOUR_SIMD_VARIANTS(two_of_four, (const float* w, std::int64_t n, float* keep),
                      two_of_four_body<1>(w, n, keep))
TWOFOUR_SIMD_VARIANTS(two_pairs_of_four, (const float* w, std::int64_t n, float* keep),
                      two_of_four_body<2>(w, n, keep))
TWOFOUR_SIMD_VARIANTS(one_of_two, (const float* w, std::int64_t n, float* keep), one_of_two_body(w, n, keep))
TWOFOUR_SIMD_VARIANTS(error_all,
                      (const float* values, std::int64_t n, float step, float low, float high, double* sum),
                      error_body(values, n, step, low, high, sum))

}  // namespace

void round_activations(const float* x, std::int64_t n, float step, float levels, float* to) {
  round_all(x, n, step, levels, to);
}

double activation_gradients(const float* x, const float* g, std::int64_t n, float step, float levels,
                            float* gx) {
  double sum = 0;
  activation_gradients_all(x, g, n, step, levels, gx, &sum);
  return sum;
}

void weight_row_codes(const WeightRow& row, float* codes) {
  codes_all(row, codes);
}

double weight_row_gradients(const WeightRow& row, const float* g, float share, float decay, float* gw) {
  double sum = 0;
  row_gradients_all(row, {g, share, decay, gw, &sum});
  return sum;
}

void prune_two_of_four(const float* weights, std::int64_t n, float* keep) {
  two_of_four(weights, n, keep);
}
void prune_pairs_of_eight(const float* weights, std::int64_t n, float* keep) {
  two_pairs_of_four(weights, n, keep);
}
void prune_one_of_two(const float* weights, std::int64_t n, float* keep) {
  one_of_two(weights, n, keep);
}

double rounding_error(const float* values, std::int64_t n, float step, float low, float high) {
  double sum = 0;
  error_all(values, n, step, low, high, &sum);
  return sum;
}

}  // namespace twofour::nas
