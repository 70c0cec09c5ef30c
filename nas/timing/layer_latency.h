#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "twofour/emu/timing/conv_latency.h"
#include "twofour/nas/graph/network.h"

namespace twofour::nas {

/// Latency of one layer with one option. Its output is stored as activations of the option's own type, so
/// that layers stay independent: a change of type is taken to happen in the epilogue. A pool is a kernel of
/// its own, as in network_latency of a workload, and counts with the first layer that reads its result
/// (Pool::pixels); depthwise layers stream through the CUDA cores (product_latency).
emu::Latency layer_latency(const Layer& layer, Option option, int batch, const isa::Machine& machine);

/// Sum over the layers in us; layers run one after the other. Residual adds and activations are epilogues and
/// cost nothing.
double network_latency(const Network& network, const std::vector<Option>& options, int batch,
                       const isa::Machine& machine);

/// Every layer takes the option where it is legal, and `fallback` elsewhere.
std::vector<Option> uniform_options(const Network& network, Option option, Option fallback);

}  // namespace twofour::nas
