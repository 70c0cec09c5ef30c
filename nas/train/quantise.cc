#include "twofour/nas/train/quantise.h"

#include <algorithm>
#include <cmath>

#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

/// Marks the two largest of four magnitudes, lower index first among equals.
void keep_two(const float (&magnitude)[4], bool (&keep)[4]) {
  for (int i = 0; i < 4; ++i) {
    int ahead = 0;
    for (int j = 0; j < 4; ++j)
      ahead += magnitude[j] > magnitude[i] || (magnitude[j] == magnitude[i] && j < i);
    keep[i] = ahead < 2;
  }
}

double squared_error(const float* values, std::int64_t n, float step, int levels, bool is_signed) {
  const float inverse = 1 / step, high = float(levels), low = is_signed ? -high : 0.0f;
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const float code = std::min(std::max(std::floor(values[i] * inverse + 0.5f), low), high);
    const float error = code * step - values[i];
    sum += double(error) * double(error);
  }
  return sum;
}

}  // namespace

void magnitude_mask(const float* weights, std::int64_t n, bool pairs, float* keep) {
  const int width = pairs ? 2 : 1;
  if (n % (4 * width) != 0) fail("pruning {} weights in groups of {}: not a multiple", n, 4 * width);
  for (std::int64_t first = 0; first < n; first += 4 * width) {
    float magnitude[4];
    bool kept[4];
    for (int g = 0; g < 4; ++g) {
      const float* w = weights + first + g * width;
      magnitude[g] = std::abs(w[0]) + (pairs ? std::abs(w[1]) : 0.0f);
    }
    keep_two(magnitude, kept);
    for (int i = 0; i < 4 * width; ++i) keep[first + i] = kept[i / width] ? 1.0f : 0.0f;
  }
}

std::vector<float> masked_row(const float* row, std::int64_t k, Quantiser q) {
  std::vector<float> masked(row, row + k);
  if (!q.sparse) return masked;
  std::vector<float> keep(std::size_t(k), 0.0f);
  magnitude_mask(row, k, prunes_pairs(q), keep.data());
  for (std::size_t i = 0; i < masked.size(); ++i) masked[i] *= keep[i];
  return masked;
}

float best_step(const float* values, std::int64_t n, int levels, bool is_signed) {
  float largest = 0;
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    largest = std::max(largest, std::abs(values[i]));
    sum += std::abs(values[i]);
  }
  if (largest == 0) return 1.0f / float(levels);
  if (is_signed && levels == 1) return float(sum / double(n));
  constexpr int candidates = 80;
  float best = 0;
  double least = INFINITY;
  for (int i = candidates; i >= 1; --i) {  // from no clipping downwards
    const float step = largest / float(levels) * float(i) / candidates;
    const double error = squared_error(values, n, step, levels, is_signed);
    if (error < least) {
      least = error;
      best = step;
    }
  }
  return best;
}

}  // namespace twofour::nas
