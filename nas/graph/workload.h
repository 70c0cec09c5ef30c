#pragma once
#include <cstdint>
#include <string>
#include <string_view>
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
  std::int64_t weights = 0;       ///< constants that it reads, biases included; 2 a channel for a batch
                                  ///< normalisation (scale and shift)
};

/// A network as nodes in an order in which they can run.
struct Workload {
  std::string name;
  std::int64_t batch = 1;
  std::vector<Node> nodes;
};

/// Height and width of a convolution's result.
std::int64_t output_height(const Node& node);
std::int64_t output_width(const Node& node);

/// Whether it is a grouped convolution, depthwise included: no Tensor Core kernel of a single GEMM.
inline bool is_grouped(const Node& node) {
  return node.kind == NodeKind::convolution && node.groups > 1;
}

/// Multiply-adds of a convolution, gemm or batched gemm; 0 for the rest.
std::int64_t macs(const Node& node);

/// Sums over the nodes. Constants are counted as often as nodes read them.
std::int64_t macs(const Workload& workload);
std::int64_t weights(const Workload& workload);

std::string_view name(NodeKind kind);

/// Throws Error naming the node when an input is not an earlier node, a size is below 1 or above 2^40, a
/// kernel is larger than its padded input, or channels and filters are not multiples of the groups.
void check(const Workload& workload);

}  // namespace twofour::nas
