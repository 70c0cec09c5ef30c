#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "twofour/isa/element.h"

namespace twofour::nas {

/// What one node of a network costs, whatever framework it came from.
enum class NodeKind : std::uint8_t {
  convolution,   ///< implicit GEMM; grouped where groups > 1 (depthwise: groups == channels)
  gemm,          ///< activations times weights: Gemm, MatMul with a constant, fully connected
  batched_gemm,  ///< activations times activations: attention
  pooling,
  elementwise,    ///< add, multiply, activation functions, (de)quantise: bandwidth
  normalisation,  ///< batch (unfolded), layer and group normalisation
  softmax,
  movement,  ///< transpose, concat, slice, gather: bandwidth
  view       ///< reshape, flatten, identity: free
};

/// One node with its shapes resolved at the workload's batch size.
struct Node {
  std::string name;  ///< of the node in the model
  std::string op;    ///< as the model spells it: "Conv", "QLinearMatMul", "LayerNormalization"
  NodeKind kind = NodeKind::elementwise;
  std::vector<int> inputs;  ///< nodes whose results it reads, by index; -1: the network's input

  // convolution: NHWC sizes of the input tensor
  std::int64_t batch = 1, height = 1, width = 1, channels = 1;
  std::int64_t filters = 1, kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1;
  std::int64_t pad_h = 0, pad_w = 0;  ///< both sides together
  std::int64_t dilation_h = 1, dilation_w = 1, groups = 1;

  // gemm, batched_gemm: D[m x n] = A[m x k] B[k x n], m: activation rows (tokens), n: output features;
  // `batch` many
  std::int64_t m = 0, n = 0, k = 0;

  std::int64_t elements_in = 0;   ///< of all activation inputs
  std::int64_t elements_out = 0;  ///< of the result
  std::int64_t weights = 0;       ///< constants that it reads
};

/// A network as nodes in an order in which they can run.
struct Workload {
  std::string name;
  std::int64_t batch = 1;
  std::vector<Node> nodes;
};

}  // namespace twofour::nas
