#include "twofour/nas/deploy/stream_ops.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>

#include "twofour/emu/numerics/block.h"

namespace twofour::nas {
namespace {

std::uint64_t f16_word(std::int32_t stream) {
  const std::int64_t x = stream;
  return emu::encode(emu::float_format(isa::ElementType::f16), isa::Rounding::nearest_even, x < 0,
                     std::uint64_t(std::abs(x)), -stream_fraction_bits);
}

std::int64_t scaled(const DeployedLayer& layer, std::uint32_t accumulator, std::size_t channel) {
  if (info(layer.option).accumulator == isa::ElementType::s32)
    return layer.output_scale[channel].apply(static_cast<std::int32_t>(accumulator));
  const double value = double(std::bit_cast<float>(accumulator)) * layer.float_scale[channel];
  return std::llrint(std::clamp(value, -0x1p40, 0x1p40));
}

}  // namespace

emu::PackedMatrix quantised(const DeployedLayer& layer, const std::vector<std::int32_t>& words,
                            std::int64_t channels, std::int64_t columns, isa::ElementType type) {
  emu::PackedMatrix q(type, std::int64_t(words.size()) / channels, columns);
  const bool is_f16 = q.type() == isa::ElementType::f16;
  const std::int64_t levels = activation_levels(layer.option);
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < q.rows(); ++row)
    for (std::int64_t c = 0; c < channels; ++c) {
      const std::int32_t word = words[std::size_t(row * channels + c)];
      if (is_f16)
        q.set_bits(row, c, f16_word(word));
      else
        q.set_integer(row, c, std::clamp<std::int64_t>(layer.input_scale.apply(word), 0, levels));
    }
  return q;
}

std::vector<std::int32_t> finished(const DeployedLayer& layer, Activation activation,
                                   const emu::PackedMatrix& accumulators,
                                   const std::vector<std::int32_t>* residual) {
  const std::int64_t channels = accumulators.cols();
  std::vector<std::int32_t> out(std::size_t(accumulators.rows() * channels));
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < accumulators.rows(); ++row)
    for (std::int64_t c = 0; c < channels; ++c) {
      const std::size_t at = std::size_t(row * channels + c);
      std::int64_t y = scaled(layer, accumulators.row_as<std::uint32_t>(row)[c], std::size_t(c)) +
                       layer.bias[std::size_t(c)];
      if (residual) y += (*residual)[at];
      if (activation != Activation::none) y = std::max<std::int64_t>(y, 0);
      if (activation == Activation::relu6) y = std::min<std::int64_t>(y, relu6_word);
      out[at] = static_cast<std::int32_t>(std::clamp<std::int64_t>(y, INT32_MIN, INT32_MAX));
    }
  return out;
}

}  // namespace twofour::nas
