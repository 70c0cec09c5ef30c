#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>

#include "twofour/emu/numerics/block.h"
#include "twofour/isa/error.h"
#include "twofour/nas/deploy/integer_network.h"

namespace twofour::nas {
namespace {

using emu::PackedMatrix;

/// Average over height and width, rounded half up: batch x C.
std::vector<std::int32_t> pool(const std::vector<std::int32_t>& x, std::int64_t batch,
                               std::int64_t channels) {
  const std::int64_t pixels = std::int64_t(x.size()) / (batch * channels);
  std::vector<std::int32_t> out(std::size_t(batch * channels));
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < batch * channels; ++i) {
    std::int64_t sum = pixels / 2;
    for (std::int64_t p = 0; p < pixels; ++p)
      sum += x[std::size_t((i / channels * pixels + p) * channels + i % channels)];
    std::int64_t mean = sum / pixels;
    if (sum % pixels < 0) --mean;  // floor
    out[std::size_t(i)] = static_cast<std::int32_t>(mean);
  }
  return out;
}

std::uint64_t f16_word(std::int32_t stream) {
  const std::int64_t x = stream;
  return emu::encode(emu::float_format(isa::ElementType::f16), isa::Rounding::nearest_even, x < 0,
                     std::uint64_t(std::abs(x)), -stream_fraction_bits);
}

/// The B operand: one row a pixel.
PackedMatrix quantise(const DeployedLayer& layer, const std::vector<std::int32_t>& x, std::int64_t channels) {
  PackedMatrix q(info(layer.option).activation, std::int64_t(x.size()) / channels, channels);
  const bool is_f16 = q.type() == isa::ElementType::f16;
  const std::int64_t levels = activation_levels(layer.option);
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < q.rows(); ++row)
    for (std::int64_t c = 0; c < channels; ++c) {
      const std::int32_t word = x[std::size_t(row * channels + c)];
      if (is_f16)
        q.set_bits(row, c, f16_word(word));
      else
        q.set_integer(row, c, std::clamp<std::int64_t>(layer.input_scale.apply(word), 0, levels));
    }
  return q;
}

/// {-1,+1} weights times {0,1} activations: sum(w q) = 2 popc(w & q) - popc(q). A last row of ones gives
/// popc(q) in the same GEMM.
PackedMatrix convolve_int1(const isa::Instruction& instruction, emu::ConvShape shape,
                           const PackedMatrix& weights, const PackedMatrix& activations) {
  const std::int64_t channels = shape.out_channels++;
  PackedMatrix with_ones = emu::padded(weights, channels + 1, weights.cols());
  for (std::int64_t k = 0; k < weights.cols(); ++k) with_ones.set_bits(channels, k, 1);
  const PackedMatrix counts = emu::conv2d(instruction, shape, with_ones, activations);
  PackedMatrix sums(isa::ElementType::s32, counts.rows(), channels);
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < sums.rows(); ++row) {
    const auto* count = counts.row_as<std::int32_t>(row);
    for (std::int64_t c = 0; c < channels; ++c)
      sums.row_as<std::int32_t>(row)[c] = 2 * count[c] - count[channels];
  }
  return sums;
}

PackedMatrix convolve(const DeployedLayer& layer, const emu::ConvShape& shape,
                      const PackedMatrix& activations) {
  const OptionInfo& o = info(layer.option);
  const isa::Instruction& instruction = instruction_of(o.option);
  if (o.option == Option::int1) return convolve_int1(instruction, shape, layer.weights, activations);
  if (!o.sparse) return emu::conv2d(instruction, shape, layer.weights, activations);
  const std::int64_t k = instruction.shape.k, cols = (layer.weights.cols() + k - 1) / k * k;
  return emu::conv2d(instruction, shape,
                     emu::compress(emu::padded(layer.weights, layer.weights.rows(), cols)), activations);
}

std::int64_t scaled(const DeployedLayer& layer, std::uint32_t accumulator, std::size_t channel) {
  if (info(layer.option).accumulator == isa::ElementType::s32)
    return layer.output_scale[channel].apply(static_cast<std::int32_t>(accumulator));
  const double value = double(std::bit_cast<float>(accumulator)) * layer.float_scale[channel];
  return std::llrint(std::clamp(value, -0x1p40, 0x1p40));
}

/// Scale, bias, residual (or null), activation, saturation.
std::vector<std::int32_t> epilogue(const DeployedLayer& layer, bool relu, const PackedMatrix& accumulators,
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
      if (relu) y = std::max<std::int64_t>(y, 0);
      out[at] = static_cast<std::int32_t>(std::clamp<std::int64_t>(y, INT32_MIN, INT32_MAX));
    }
  return out;
}

}  // namespace

std::vector<LayerResult> run_emulated(const DeployedNetwork& net, const std::vector<std::int32_t>& images,
                                      int batch) {
  check_network(net);
  check_images(net, images, batch);
  std::vector<LayerResult> results;
  const auto tensor = [&](int i) -> const std::vector<std::int32_t>& {
    return i == 0 ? images : results[std::size_t(i - 1)].output;
  };
  for (std::size_t i = 0; i < net.layers.size(); ++i) {
    const Layer& layer = net.network.layers[i];
    const DeployedLayer& deployed = net.layers[i];
    emu::ConvShape shape = layer.shape;
    shape.batch = batch;
    const PackedMatrix activations =
        layer.pool.kind == PoolKind::global_average
            ? quantise(deployed, pool(tensor(layer.input), batch, shape.in_channels), shape.in_channels)
            : quantise(deployed, tensor(layer.input), shape.in_channels);
    LayerResult result{convolve(deployed, shape, activations), {}};
    result.output = epilogue(deployed, layer.activation == Activation::relu, result.accumulators,
                             layer.residual < 0 ? nullptr : &tensor(layer.residual));
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace twofour::nas
