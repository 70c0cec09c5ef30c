#include "twofour/emu/arbitrary/packing_epilogue.h"

#include <algorithm>
#include <limits>

#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

void check_factor(const FixedFactor& f) {
  if (f.shift < 1 || f.shift > 62) fail("packing epilogue: a shift of {}; use 1 to 62", f.shift);
}

void check_epilogue(const PackingEpilogue& e, const PackedMatrix& sums) {
  if (sums.type() != isa::ElementType::s32)
    fail("packing epilogue: sums of {}; give s32", isa::name(sums.type()));
  const auto channels = std::size_t(sums.cols());
  if (e.scale.size() != channels || e.bias.size() != channels)
    fail("packing epilogue: {} scales and {} biases for {} channels; give one of each a channel",
         e.scale.size(), e.bias.size(), channels);
  if (e.bits < 1 || e.bits > 8) fail("packing epilogue: {} bits of activations; use 1 to 8", e.bits);
  check_factor(e.step);
  std::ranges::for_each(e.scale, check_factor);
}

}  // namespace

int activation_code(const PackingEpilogue& e, std::int32_t sum, std::size_t channel) {
  std::int64_t y = e.scale[channel].apply(sum) + e.bias[channel];
  if (e.relu) y = std::max<std::int64_t>(y, 0);
  y = std::clamp<std::int64_t>(y, std::numeric_limits<std::int32_t>::min(),
                               std::numeric_limits<std::int32_t>::max());
  return static_cast<int>(std::clamp<std::int64_t>(e.step.apply(y), 0, (1 << e.bits) - 1));
}

BitPlanes pack_activations(const PackingEpilogue& e, const PackedMatrix& sums) {
  check_epilogue(e, sums);
  BitPlanes out = empty_planes(e.bits, sums.rows(), sums.cols());
#pragma omp parallel
  {
    std::vector<std::uint8_t> codes(std::size_t(sums.cols()));
#pragma omp for schedule(static)
    for (std::int64_t r = 0; r < sums.rows(); ++r) {
      const auto* row = sums.row_as<std::int32_t>(r);
      for (std::size_t c = 0; c < codes.size(); ++c)
        codes[c] = static_cast<std::uint8_t>(activation_code(e, row[c], c));
      pack_row(out, r, codes);
    }
  }
  return out;
}

}  // namespace twofour::emu
