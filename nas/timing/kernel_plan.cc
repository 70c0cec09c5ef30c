#include "twofour/nas/timing/kernel_plan.h"

#include <algorithm>

namespace twofour::nas {
namespace {

using isa::ElementType;

bool has_weights(const Node& n) {
  return n.kind == NodeKind::convolution || n.kind == NodeKind::gemm;
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
  for (const auto& k : plan.kernels)
    for (const int input : k.fused.inputs)
      widen(plan.tensor_bits, input,
            read_bits(workload.nodes[static_cast<std::size_t>(k.fused.root())], k.type, type));
  for (const auto& k : plan.kernels)
    for (const int residual : k.fused.residuals) plan.tensor_bits.try_emplace(residual, isa::bits(type));
  for (const auto& k : plan.kernels)  // results of the network
    plan.tensor_bits.try_emplace(k.fused.result(), emu::default_output_bits(type));
}

}  // namespace

bool is_product(const Node& n) {
  return has_weights(n) || n.kind == NodeKind::batched_gemm;
}

Plan plan_kernels(const Workload& workload, const NetworkOptions& options) {
  const auto& nodes = workload.nodes;
  const auto first = std::find_if(nodes.begin(), nodes.end(), has_weights);
  const auto last = std::find_if(nodes.rbegin(), nodes.rend(), has_weights);
  Plan plan;
  for (auto& fused : fuse(workload, options.fusion)) {
    const Node& root = nodes[static_cast<std::size_t>(fused.root())];
    PlannedKernel k{std::move(fused), options.type, false, ""};
    k.edge = has_weights(root) && (&root == &*first || &root == &*last);
    k.note = k.fused.note;
    if (is_narrow(options.type) && (k.edge || root.kind == NodeKind::batched_gemm)) {
      k.type = ElementType::s8;
      k.note = k.edge ? "stays int8: first layer or classifier" : "stays int8: both operands are activations";
    }
    if (&root == &*first && root.kind == NodeKind::convolution)
      plan.converts_image = std::count(k.fused.inputs.begin(), k.fused.inputs.end(), -1) == 1;
    plan.kernels.push_back(std::move(k));
  }
  find_tensor_bits(plan, workload, options.type);
  return plan;
}

}  // namespace twofour::nas
