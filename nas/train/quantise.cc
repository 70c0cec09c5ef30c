#include "twofour/nas/train/quantise.h"

#include <algorithm>
#include <cmath>

#include "twofour/isa/error.h"
#include "twofour/nas/train/rounding_kernels.h"

namespace twofour::nas {

void magnitude_mask(const float* weights, std::int64_t n, SparseForm form, float* keep) {
  if (n % form.group() != 0) fail("pruning {} weights in groups of {}: not a multiple", n, form.group());
  if (form.units == 2)
    prune_one_of_two(weights, n, keep);
  else if (form.width == 2)
    prune_pairs_of_eight(weights, n, keep);
  else
    prune_two_of_four(weights, n, keep);
}

std::vector<float> masked_row(const float* row, std::int64_t k, Quantiser q) {
  std::vector<float> masked(row, row + k);
  if (!q.sparse) return masked;
  std::vector<float> keep(std::size_t(k), 0.0f);
  magnitude_mask(row, k, sparse_form(q), keep.data());
  for (std::size_t i = 0; i < masked.size(); ++i) masked[i] *= keep[i];
  return masked;
}

PrunedGradient pruned_gradient(MaskRule rule, std::int64_t step, std::int64_t steps) {
  if (rule == MaskRule::sr_ste) return {};
  if (rule == MaskRule::fixed) return {0, 0};
  const double progress = steps > 1 ? double(step) / double(steps - 1) : 1;
  return {float(0.5 * (1 + std::cos(M_PI * progress))), 0};
}

float best_step(const float* values, std::int64_t n, int levels, bool is_signed) {
  float largest = 0;
  for (std::int64_t i = 0; i < n; ++i) largest = std::max(largest, std::abs(values[i]));
  if (largest == 0) return 1.0f / float(levels);
  constexpr int candidates = 80;
  const float high = float(levels), low = is_signed ? -high : 0.0f;
  float best = 0;
  double least = INFINITY;
  for (int i = candidates; i >= 1; --i) {  // from no clipping downwards
    const float step = largest / high * float(i) / candidates;
    const double error = rounding_error(values, n, step, low, high);
    if (error < least) {
      least = error;
      best = step;
    }
  }
  return best;
}

float weight_step(const float* row, std::int64_t k, Quantiser q) {
  const std::vector<float> masked = masked_row(row, k, q);
  if (q.weight_bits == 1) {
    double sum = 0;
    for (float w : masked) sum += std::abs(w);
    return sum == 0 ? 1.0f : float(sum / double(k));
  }
  if (q.steps == StepRule::wrpn) return 1.0f / float(weight_levels(q));
  return best_step(masked.data(), k, weight_levels(q), true);
}

float activation_step(const std::vector<float>& values, Quantiser q) {
  if (q.steps == StepRule::wrpn) return 1.0f / float(activation_levels(q));
  return best_step(values.data(), std::int64_t(values.size()), activation_levels(q), false);
}

}  // namespace twofour::nas
