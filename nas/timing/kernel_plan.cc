#include "twofour/nas/timing/kernel_plan.h"

#include <algorithm>

namespace twofour::nas {
namespace {

using isa::ElementType;

bool has_weights(const Node& n) {
  return n.kind == NodeKind::convolution || n.kind == NodeKind::gemm;
}

/// Index of the first node of a range that has weights, -1 if there is none.
template <class Iterator>
int first_with_weights(Iterator begin, Iterator end, const std::vector<Node>& nodes) {
  const auto at = std::find_if(begin, end, has_weights);
  return at == end ? -1 : static_cast<int>(&*at - nodes.data());
}

/// The layer that reads the network's input: the first with weights, if it is a convolution or nothing lies
/// before it (a projection behind an embedding is a layer like others); -1 if there is none.
int first_layer(const std::vector<Node>& nodes) {
  const int first = first_with_weights(nodes.begin(), nodes.end(), nodes);
  if (first < 0) return -1;
  const Node& n = nodes[static_cast<std::size_t>(first)];
  const bool reads_input = std::find(n.inputs.begin(), n.inputs.end(), -1) != n.inputs.end();
  return reads_input || n.kind == NodeKind::convolution ? first : -1;
}

bool is_narrow(ElementType type) {
  return isa::bits(type) < 8;
}

/// Width in which a kernel reads its activations.
int read_bits(const Node& root, ElementType kernel_type, ElementType network_type) {
  const bool reduces = root.kind == NodeKind::softmax || root.kind == NodeKind::normalisation;
  if (reduces && root.op != "BatchNormalization") return std::max(16, isa::bits(network_type));
  return isa::bits(kernel_type);
}

void widen(std::map<int, int>& bits, int tensor, int wanted) {
  auto [it, added] = bits.try_emplace(tensor, wanted);
  if (!added) it->second = std::max(it->second, wanted);
}

void find_tensor_bits(Plan& plan, const Workload& workload, ElementType type) {
  const auto root = [&](const PlannedKernel& k) -> const Node& {
    return workload.nodes[static_cast<std::size_t>(k.fused.root())];
  };
  for (const auto& k : plan.kernels)
    for (const int input : k.fused.inputs) {
      const bool raw = input < 0 && !is_product(root(k));  // pixels or word numbers as they arrive
      widen(plan.tensor_bits, input, raw ? 32 : read_bits(root(k), k.type, type));
    }
  for (const auto& k : plan.kernels)
    for (const int residual : k.fused.residuals) plan.tensor_bits.try_emplace(residual, isa::bits(type));
  for (const auto& k : plan.kernels)  // results of the network
    for (const int result : k.fused.results())
      plan.tensor_bits.try_emplace(result, emu::default_output_bits(type));
}

}  // namespace

bool is_product(const Node& n) {
  return has_weights(n) || n.kind == NodeKind::batched_gemm;
}

Plan plan_kernels(const Workload& workload, const NetworkOptions& options) {
  const auto& nodes = workload.nodes;
  const int first = first_layer(nodes);
  const int last = first_with_weights(nodes.rbegin(), nodes.rend(), nodes);
  Plan plan;
  for (auto& fused : fuse(workload, options.fusion)) {
    const Node& root = nodes[static_cast<std::size_t>(fused.root())];
    PlannedKernel k{std::move(fused), options.type, false, ""};
    k.edge = k.fused.root() == first || k.fused.root() == last;
    k.note = k.fused.note;
    if (is_narrow(options.type) && (k.edge || root.kind == NodeKind::batched_gemm)) {
      k.type = ElementType::s8;
      k.note = k.edge ? "stays int8: first layer or classifier" : "stays int8: both operands are activations";
    }
    if (k.fused.root() == first && root.kind == NodeKind::convolution)
      plan.converts_image = std::count(k.fused.inputs.begin(), k.fused.inputs.end(), -1) == 1;
    plan.kernels.push_back(std::move(k));
  }
  find_tensor_bits(plan, workload, options.type);
  return plan;
}

}  // namespace twofour::nas
