#include "twofour/nas/graph/workload.h"

#include <array>

#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

constexpr std::array<std::string_view, 9> kind_names{"convolution", "gemm",        "batched gemm",
                                                     "pooling",     "elementwise", "normalisation",
                                                     "softmax",     "movement",    "view"};

std::int64_t windows(std::int64_t size, std::int64_t pad, std::int64_t kernel, std::int64_t dilation,
                     std::int64_t stride) {
  return (size + pad - dilation * (kernel - 1) - 1) / stride + 1;
}

void check_size(const Node& node, std::string_view field, std::int64_t size, std::int64_t least) {
  constexpr std::int64_t most = std::int64_t{1} << 40;
  if (size < least || size > most)
    fail("node '{}' ({}): {} is {}; it must lie between {} and 2^40", node.name, node.op, field, size, least);
}

void check_convolution(const Node& n) {
  for (const auto& [field, size] : {std::pair("height", n.height),
                                    {"width", n.width},
                                    {"channels", n.channels},
                                    {"filters", n.filters},
                                    {"kernel_h", n.kernel_h},
                                    {"kernel_w", n.kernel_w},
                                    {"stride_h", n.stride_h},
                                    {"stride_w", n.stride_w},
                                    {"dilation_h", n.dilation_h},
                                    {"dilation_w", n.dilation_w},
                                    {"groups", n.groups}})
    check_size(n, field, size, 1);
  check_size(n, "pad_h", n.pad_h, 0);
  check_size(n, "pad_w", n.pad_w, 0);
  if (n.dilation_h * (n.kernel_h - 1) >= n.height + n.pad_h ||
      n.dilation_w * (n.kernel_w - 1) >= n.width + n.pad_w)
    fail("node '{}' ({}): its kernel {} x {} is larger than the padded input {} x {}; use a larger image",
         n.name, n.op, n.kernel_h, n.kernel_w, n.height + n.pad_h, n.width + n.pad_w);
  if (n.channels % n.groups != 0 || n.filters % n.groups != 0)
    fail("node '{}' ({}): {} channels and {} filters cannot be cut into {} groups", n.name, n.op, n.channels,
         n.filters, n.groups);
}

}  // namespace

std::int64_t output_height(const Node& n) {
  return windows(n.height, n.pad_h, n.kernel_h, n.dilation_h, n.stride_h);
}

std::int64_t output_width(const Node& n) {
  return windows(n.width, n.pad_w, n.kernel_w, n.dilation_w, n.stride_w);
}

std::int64_t macs(const Node& n) {
  switch (n.kind) {
    case NodeKind::convolution:
      return n.batch * output_height(n) * output_width(n) * n.filters * (n.channels / n.groups) * n.kernel_h *
             n.kernel_w;
    case NodeKind::gemm:
    case NodeKind::batched_gemm: return n.batch * n.m * n.n * n.k;
    default: return 0;
  }
}

std::int64_t macs(const Workload& workload) {
  std::int64_t sum = 0;
  for (const auto& node : workload.nodes) sum += macs(node);
  return sum;
}

std::int64_t weights(const Workload& workload) {
  std::int64_t sum = 0;
  for (const auto& node : workload.nodes) sum += node.weights;
  return sum;
}

std::string_view name(NodeKind kind) {
  return kind_names[static_cast<std::size_t>(kind)];
}

void check(const Workload& workload) {
  if (workload.nodes.empty()) fail("network '{}' has no nodes", workload.name);
  for (std::size_t i = 0; i < workload.nodes.size(); ++i) {
    const Node& n = workload.nodes[i];
    for (const int input : n.inputs)
      if (input < -1 || input >= static_cast<int>(i))
        fail("node '{}' ({}): it reads node {}, which does not run before it", n.name, n.op, input);
    check_size(n, "batch", n.batch, 1);
    if (n.kind == NodeKind::convolution) check_convolution(n);
    if (n.kind == NodeKind::gemm || n.kind == NodeKind::batched_gemm)
      for (const auto& [field, size] : {std::pair("m", n.m), {"n", n.n}, {"k", n.k}})
        check_size(n, field, size, 1);
    check_size(n, "elements_in", n.elements_in, 0);
    check_size(n, "elements_out", n.elements_out, 1);
    check_size(n, "weights", n.weights, 0);
  }
}

}  // namespace twofour::nas
