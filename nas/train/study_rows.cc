#include "twofour/nas/train/study_rows.h"

#include <fmt/format.h>

#include "twofour/isa/evidence.h"
#include "twofour/nas/timing/layer_latency.h"

namespace twofour::nas {
namespace {

std::string shape_text(const Layer& l) {
  const auto& s = l.shape;
  return fmt::format("{}x{} {}->{} /{} @{}x{}{}", s.kernel_h, s.kernel_w, s.in_channels, s.out_channels,
                     s.stride, s.height, s.width, l.depthwise() ? " depthwise" : "");
}

LayerRow layer_row(const Layer& l, Option option, int batch, const isa::Machine& machine) {
  const emu::Latency latency = layer_latency(l, option, batch, machine);
  return {l.name,
          shape_text(l),
          l.shape.gemm_m(),
          l.shape.gemm_n() * batch,
          l.shape.gemm_k(),
          std::string(name(option)),
          latency.microseconds,
          latency.low_us,
          latency.high_us,
          std::string(name(latency.bound)),
          std::string(name(isa::evidence(instruction_of(option)).fidelity))};
}

}  // namespace

double latency_us(const Architecture& network, int batch, const isa::Machine& machine) {
  return network_latency(network.network, network.options, batch, machine);
}

void describe_network(NetworkRow& row, const Architecture& network, int batch, const isa::Machine& machine) {
  row.latency_us = row.low_us = row.high_us = 0;
  row.layers.clear();
  for (std::size_t i = 0; i < network.options.size(); ++i) {
    row.layers.push_back(layer_row(network.network.layers[i], network.options[i], batch, machine));
    row.latency_us += row.layers.back().latency_us;
    row.low_us += row.layers.back().low_us;
    row.high_us += row.layers.back().high_us;
  }
  row.latency_batch1_us = latency_us(network, 1, machine);
}

}  // namespace twofour::nas
