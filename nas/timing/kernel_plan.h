#pragma once
#include <map>
#include <vector>

#include "twofour/nas/timing/fusion.h"
#include "twofour/nas/timing/network_latency.h"

namespace twofour::nas {

/// A kernel with its type; what it reads and writes follows from the plan's tensors.
struct PlannedKernel {
  FusedKernel fused;
  isa::ElementType type;
  const NodeForm* form = nullptr;  ///< of the options; null: the network's type
  std::vector<int> reads;          ///< fused.inputs, or copies of them in the kernel's type
  bool edge = false;               ///< the first layer with weights, or the last: never 2:4, int4 or int1
  std::string note;
};

/// A tensor in another type than the one that it is stored in.
struct TensorCopy {
  int tensor;
  isa::ElementType type;
};

/// Which kernels a network runs, in which types, and how wide its tensors are stored.
struct Plan {
  std::vector<PlannedKernel> kernels;
  std::map<int, int> tensor_bits;    ///< by the node that wrote the tensor; -1: the network's input
  std::map<int, TensorCopy> copies;  ///< by name, which tensor_bits knows, too; made before the first reader
  bool converts_image = false;  ///< the input is an fp32 image that the first layer reads in another form
};

bool is_product(const Node& node);

Plan plan_kernels(const Workload& workload, const NetworkOptions& options);

}  // namespace twofour::nas
