#pragma once
#include <string>
#include <vector>

#include "twofour/emu/timing/gemm_latency.h"
#include "twofour/nas/graph/option.h"
#include "twofour/nas/graph/workload.h"

namespace twofour::nas {

/// A layer in one option.
struct OptionTime {
  Option option = Option::fp16;
  std::string illegal;   ///< why there is no such kernel ("3 channels"); then the latency is empty
  emu::Latency latency;  ///< as a graph node, its fused epilogue included
};

/// A convolution or fully connected layer.
struct LayerTime {
  std::string name;  ///< the node's; "#index" behind it where nodes share it
  int node = 0;      ///< of the workload
  std::vector<OptionTime> options;
};

/// What layers take in each option, for searches that add latencies up.
struct LayerTable {
  std::string network;
  std::int64_t batch = 1;
  std::vector<LayerTime> layers;
  /// By option: the rest of a network in that option's type, products of two activations included.
  std::vector<double> other_us;
};

/// Every layer with weights, timed where it stands: in a network all of whose layers have the option's type
/// (what is in L2, the epilogue and its residual are that network's), first layer and classifier included.
/// 2:4 is timed wherever it is legal, faster or not. Every layer is a kernel of its own: where the network
/// runs several as one (query, key and value), the table adds up to more. Conversions between layers of
/// different types are not counted. w_p a_q stands in the network of int1: what lies in L2 there, and the
/// rest. Throws Error for no or repeated options, types that the machine lacks, and networks without such
/// layers.
LayerTable layer_table(const Workload& workload, const std::vector<Option>& options,
                       const isa::Machine& machine);

}  // namespace twofour::nas
