#include "twofour/nas/timing/layer_latency.h"

#include <algorithm>

#include "twofour/emu/timing/arbitrary_latency.h"
#include "twofour/emu/timing/stream_latency.h"
#include "twofour/nas/timing/product_latency.h"

namespace twofour::nas {
namespace {

/// The layer's convolution with its input and output in DRAM.
emu::Latency dense_latency(const Layer& layer, const OptionInfo& o, int batch, const isa::Machine& machine) {
  const emu::ConvShape& s = layer.shape;
  const emu::ConvProblem conv{.batch = batch,
                              .height = s.height,
                              .width = s.width,
                              .channels = s.in_channels,
                              .filters = s.out_channels,
                              .kernel_h = s.kernel_h,
                              .kernel_w = s.kernel_w,
                              .stride = s.stride,
                              .padding = s.pad,
                              .type = o.weight,
                              .sparse = o.sparse,
                              .output_bits = o.activation_bits};
  if (is_bit_serial(o.option))
    return emu::arbitrary_conv_latency(conv, {o.weight_bits, o.activation_bits, o.activation_bits}, machine);
  return emu::conv_latency(conv, machine);
}

emu::Latency depthwise_latency(const Layer& layer, const OptionInfo& o, int batch,
                               const isa::Machine& machine) {
  const emu::ConvShape& s = layer.shape;
  Node node;
  node.kind = NodeKind::convolution;
  node.batch = batch;
  node.height = s.height, node.width = s.width, node.channels = s.in_channels;
  node.filters = s.out_channels, node.groups = layer.groups;
  node.kernel_h = s.kernel_h, node.kernel_w = s.kernel_w;
  node.stride_h = node.stride_w = s.stride;
  node.pad_h = node.pad_w = 2 * s.pad;
  node.elements_in = batch * s.height * s.width * s.in_channels;
  node.elements_out = s.gemm_n() * batch * s.out_channels;
  node.weights = s.out_channels * layer.weight_columns();
  return product_latency(node, {.type = o.weight, .output_bits = o.activation_bits}, machine);
}

/// The pooling kernel reads the whole tensor and writes what the layer reads.
emu::Latency pool_latency(const Layer& layer, const OptionInfo& o, int batch, const isa::Machine& machine) {
  const emu::ConvShape& s = layer.shape;
  const double elements = double(batch) * double(s.in_channels) *
                          (double(layer.pool.pixels) + double(s.height) * double(s.width));
  const double bytes = elements * o.activation_bits / 8;
  return emu::stream_latency({.dram_bytes = bytes, .l2_bytes = bytes}, machine);
}

}  // namespace

emu::Latency layer_latency(const Layer& layer, Option option, int batch, const isa::Machine& machine) {
  const OptionInfo& o = info(option);
  emu::Latency latency = layer.depthwise() ? depthwise_latency(layer, o, batch, machine)
                                           : dense_latency(layer, o, batch, machine);
  if (layer.pool.pixels == 0) return latency;
  const emu::Latency pool = pool_latency(layer, o, batch, machine);
  latency.microseconds += pool.microseconds;
  latency.low_us += pool.low_us;
  latency.high_us += pool.high_us;
  latency.cycles += pool.cycles;
  latency.dram_floor_us += pool.dram_floor_us;
  latency.launch_us += pool.launch_us;
  return latency;
}

double network_latency(const Network& network, const std::vector<Option>& options, int batch,
                       const isa::Machine& machine) {
  double sum = 0;
  for (std::size_t i = 0; i < options.size(); ++i)
    sum += layer_latency(network.layers[i], options[i], batch, machine).microseconds;
  return sum;
}

std::vector<Option> uniform_options(const Network& network, Option option, Option fallback) {
  std::vector<Option> options;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const auto legal = legal_options(network, i);
    options.push_back(std::count(legal.begin(), legal.end(), option) > 0 ? option : fallback);
  }
  return options;
}

}  // namespace twofour::nas
