#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>

#include "twofour/emu/arbitrary/arbitrary_gemm.h"
#include "twofour/emu/numerics/block.h"
#include "twofour/isa/error.h"
#include "twofour/nas/deploy/depthwise.h"
#include "twofour/nas/deploy/integer_network.h"
#include "twofour/nas/deploy/pool.h"

namespace twofour::nas {
namespace {

using emu::PackedMatrix;

std::uint64_t f16_word(std::int32_t stream) {
  const std::int64_t x = stream;
  return emu::encode(emu::float_format(isa::ElementType::f16), isa::Rounding::nearest_even, x < 0,
                     std::uint64_t(std::abs(x)), -stream_fraction_bits);
}

/// The B operand: one row a pixel.
PackedMatrix quantise(const DeployedLayer& layer, const std::vector<std::int32_t>& x, std::int64_t channels) {
  const isa::ElementType type =
      is_bit_serial(layer.option) ? isa::ElementType::u8 : info(layer.option).activation;
  PackedMatrix q(type, std::int64_t(x.size()) / channels, channels);
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

/// w_p a_q: all pairs of bit planes as one single-bit convolution.
PackedMatrix convolve_planes(const isa::Instruction& instruction, const emu::ConvShape& shape,
                             const DeployedLayer& layer, const PackedMatrix& activations) {
  const OptionInfo& o = info(layer.option);
  const emu::BitForm form{
      o.weight_bits, o.activation_bits,
      o.weight_bits == 1 ? emu::BitEncoding::bipolar_weights : emu::BitEncoding::signed_weights};
  return emu::arbitrary_conv2d(form, shape, emu::weight_planes(form, layer.weights),
                               emu::activation_planes(form, activations), instruction);
}

PackedMatrix convolve(const DeployedLayer& layer, const emu::ConvShape& shape,
                      const PackedMatrix& activations) {
  const OptionInfo& o = info(layer.option);
  const isa::Instruction& instruction = instruction_of(o.option);
  if (is_bit_serial(o.option)) return convolve_planes(instruction, shape, layer, activations);
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
std::vector<std::int32_t> epilogue(const DeployedLayer& layer, Activation activation,
                                   const PackedMatrix& accumulators,
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

}  // namespace

std::vector<LayerResult> run_emulated(const DeployedNetwork& net, const std::vector<std::int32_t>& images,
                                      int batch) {
  check_network(net);
  check_images(net, images, batch);
  std::vector<LayerResult> results;
  const auto tensor = [&](int i) -> const std::vector<std::int32_t>& {
    return i == 0 ? images : results[std::size_t(i - 1)].output;
  };
  std::vector<std::int32_t> storage;
  const auto read = [&](int i, const Pool& pool) -> const std::vector<std::int32_t>& {
    if (pool.kind == PoolKind::none) return tensor(i);
    const emu::ConvShape& s = net.network.layers[std::size_t(i - 1)].shape;  // never the image
    return storage = pooled(tensor(i), {batch, s.out_height(), s.out_width(), s.out_channels}, pool);
  };
  for (std::size_t i = 0; i < net.layers.size(); ++i) {
    const Layer& layer = net.network.layers[i];
    const DeployedLayer& deployed = net.layers[i];
    emu::ConvShape shape = layer.shape;
    shape.batch = batch;
    const PackedMatrix activations = quantise(deployed, read(layer.input, layer.pool), shape.in_channels);
    LayerResult result{layer.depthwise() ? depthwise_conv2d(shape, deployed.weights, activations)
                                         : convolve(deployed, shape, activations),
                       {}};
    result.output = epilogue(deployed, layer.activation, result.accumulators,
                             layer.residual < 0 ? nullptr : &read(layer.residual, layer.residual_pool));
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace twofour::nas
