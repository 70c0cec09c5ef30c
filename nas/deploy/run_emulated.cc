#include "twofour/emu/arbitrary/arbitrary_gemm.h"
#include "twofour/nas/deploy/depthwise.h"
#include "twofour/nas/deploy/integer_network.h"
#include "twofour/nas/deploy/pool.h"
#include "twofour/nas/deploy/stream_ops.h"

namespace twofour::nas {
namespace {

using emu::PackedMatrix;

/// Of the matrix that the product reads; codes of bit-serial options become planes later.
isa::ElementType activation_type(Option option) {
  return is_bit_serial(option) ? isa::ElementType::u8 : info(option).activation;
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
    const PackedMatrix activations = quantised(deployed, read(layer.input, layer.pool), shape.in_channels,
                                               shape.in_channels, activation_type(deployed.option));
    LayerResult result{layer.depthwise() ? depthwise_conv2d(shape, deployed.weights, activations)
                                         : convolve(deployed, shape, activations),
                       {}};
    result.output = finished(deployed, layer.activation, result.accumulators,
                             layer.residual < 0 ? nullptr : &read(layer.residual, layer.residual_pool));
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace twofour::nas
