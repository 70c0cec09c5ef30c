#include "twofour/nas/timing/layer_latency.h"

#include <algorithm>

namespace twofour::nas {

emu::Latency layer_latency(const Layer& layer, Option option, int batch, const isa::Machine& machine) {
  const emu::ConvShape& s = layer.shape;
  const OptionInfo& o = info(option);
  return emu::conv_latency({.batch = batch,
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
                            .output_bits = isa::bits(o.activation)},
                           machine);
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
