#include "twofour/nas/deploy/integer_network.h"

#include <algorithm>
#include <cmath>

#include "twofour/isa/error.h"

namespace twofour::nas {

FixedScale FixedScale::of(double factor) {
  if (!(std::fabs(factor) <= 0x1p30 - 1))
    fail("a fixed-point scale of {}; its magnitude must be below 2^30 - 1", factor);
  int exponent = 0;
  std::frexp(factor, &exponent);  // |factor| = f * 2^exponent, 0.5 <= f < 1
  for (int shift = std::min(31 - exponent, 62);; --shift) {
    const double multiplier = std::nearbyint(std::ldexp(factor, shift));
    if (std::fabs(multiplier) < 0x1p31) return {static_cast<std::int32_t>(multiplier), shift};
  }
}

Comparison compare(const std::vector<LayerResult>& emulated, const std::vector<LayerResult>& reference) {
  if (emulated.size() != reference.size())
    fail("compare: results of {} and of {} layers; give two runs of the same network", emulated.size(),
         reference.size());
  Comparison total;
  for (std::size_t i = 0; i < emulated.size(); ++i) {
    const emu::PackedMatrix &a = emulated[i].accumulators, &b = reference[i].accumulators;
    const std::vector<std::int32_t>&x = emulated[i].output, &y = reference[i].output;
    if (a.type() != b.type() || a.rows() != b.rows() || a.cols() != b.cols() || x.size() != y.size())
      fail(
          "compare: layer {}: results of different shapes; give two runs of the same network on the same "
          "images",
          i);
    std::int64_t differing = 0;
    for (std::int64_t r = 0; r < a.rows(); ++r)
      for (std::int64_t c = 0; c < a.cols(); ++c)
        differing += a.row_as<std::uint32_t>(r)[c] != b.row_as<std::uint32_t>(r)[c];
    for (std::size_t j = 0; j < x.size(); ++j) differing += x[j] != y[j];
    total.compared += a.rows() * a.cols() + std::int64_t(x.size());
    total.differing += differing;
    total.differing_per_layer.push_back(differing);
  }
  return total;
}

}  // namespace twofour::nas
