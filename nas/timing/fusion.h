#pragma once
#include <string>
#include <vector>

#include "twofour/nas/graph/workload.h"

namespace twofour::nas {

/// Nodes that run as one kernel: the root, and the pointwise nodes that its epilogue computes.
struct FusedKernel {
  std::vector<int> nodes;  ///< in the order in which they run; the first is the root
  std::vector<int>
      inputs;  ///< tensors that the root reads: nodes whose results they are, -1: the network's input
  std::vector<int> residuals;  ///< tensors that the epilogue reads besides
  std::vector<int> siblings;   ///< further products of the same input that run with the root as one product
  bool attention = false;      ///< the nodes are scores, softmax and context of all heads
  std::string note;            ///< why a pointwise node heads its own kernel; empty for other roots

  int root() const { return nodes.front(); }
  int result() const { return nodes.back(); }
  /// The tensors that it writes.
  std::vector<int> results() const;
};

/// The kernels of a network, in the order of their roots. Views cost nothing and are no kernels: tensors are
/// named by the node that wrote them. With fusion, as TensorRT does it:
/// - batch normalisation, activations, additions and requantisation after a convolution, a product or another
///   pointwise, normalisation or softmax kernel run in its epilogue, if nothing else reads what lies between
///   and their other operands exist when the root starts;
/// - a transpose next to a product is a stride of that product;
/// - products of one input with different weights, nothing in their epilogues, are one product (query, key,
/// value);
/// - scores, softmax and context of an attention of up to 512 tokens are one kernel, whose inputs are all
/// three. Pooling, softmax, layer normalisation and the other movements stay kernels of their own.
std::vector<FusedKernel> fuse(const Workload& workload, bool fusion);

}  // namespace twofour::nas
