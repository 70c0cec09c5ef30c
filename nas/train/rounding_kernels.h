#pragma once
#include <cstdint>

/// The loops over elements that fake quantisation spends its time in, on plain arrays: compiled for AVX-512,
/// AVX2 and the baseline (emu/numerics/simd_dispatch.h), with the same bits from each. No threads: callers
/// cut the work.
namespace twofour::nas {

/// to[i] = activation_code(x[i]) * step with codes 0 .. levels.
void round_activations(const float* x, std::int64_t n, float step, float levels, float* to);

/// Gradient of round_activations: gx[i] = g[i] where x / step lies in 0 .. levels, else 0. Returns the sum of
/// g[i] * d(y[i]) / d(step) as LSQ defines it: code - x / step inside, the code outside.
double activation_gradients(const float* x, const float* g, std::int64_t n, float step, float levels,
                            float* gx);

/// One row of weights as they are rounded. keep: 1 for the weights that stay and 0 for pruned ones, or null:
/// all stay.
struct WeightRow {
  const float* weights;
  const float* keep;
  std::int64_t count;
  float step, levels;
  bool single_bit;  ///< the code is the sign, -1 or 1
};

/// codes[i]: the nearest of -levels .. levels to weight / step (halves upwards), 0 for pruned weights.
void weight_row_codes(const WeightRow& row, float* codes);

/// What pruned weights receive: share * g + decay * w.
/// Kept weights receive g, none where they are clipped (single bits are never clipped). Returns the sum of
/// g * d(y) / d(step) as activation_gradients().
double weight_row_gradients(const WeightRow& row, const float* g, float share, float decay, float* gw);

/// Magnitude pruning: keep[i] = 1 or 0. Of four weights two stay, of four pairs (by the sum of magnitudes)
/// two, of two weights one; ties: the lower index. n: a multiple of the group (4, 8, 2).
void prune_two_of_four(const float* weights, std::int64_t n, float* keep);
void prune_pairs_of_eight(const float* weights, std::int64_t n, float* keep);
void prune_one_of_two(const float* weights, std::int64_t n, float* keep);

/// Sum of squared differences between the values and their nearest of low .. high times the step.
double rounding_error(const float* values, std::int64_t n, float step, float low, float high);

}  // namespace twofour::nas
