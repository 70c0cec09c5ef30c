#include "twofour/nas/timing/kernel_plan.h"

#include <algorithm>

#include "twofour/isa/error.h"

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

int bits_of(const PlannedKernel& k, const Node& root, ElementType network_type) {
  if (k.form && k.form->bits > 0) return k.form->bits;
  return read_bits(root, k.type, k.form ? k.type : network_type);
}

void find_tensor_bits(Plan& plan, const Workload& workload, ElementType network_type) {
  const auto root = [&](const PlannedKernel& k) -> const Node& {
    return workload.nodes[static_cast<std::size_t>(k.fused.root())];
  };
  const auto type = [&](const PlannedKernel& k) { return k.form ? k.type : network_type; };
  for (const auto& k : plan.kernels)
    for (const int input : k.fused.inputs) {
      const bool raw = input < 0 && !is_product(root(k));  // pixels or word numbers as they arrive
      widen(plan.tensor_bits, input, raw ? 32 : bits_of(k, root(k), network_type));
    }
  for (const auto& k : plan.kernels)
    for (const int residual : k.fused.residuals)
      plan.tensor_bits.try_emplace(residual, k.form && k.form->bits > 0 ? k.form->bits : isa::bits(type(k)));
  for (const auto& k : plan.kernels)  // results of the network
    for (const int result : k.fused.results())
      plan.tensor_bits.try_emplace(result, emu::default_output_bits(type(k)));
}

constexpr int first_copy = 1 << 25;  // names of copies

/// What a tensor looks like to the kernels that read it.
struct Form {
  ElementType type;
  int bits;
  bool operator==(const Form&) const = default;
};

/// Products read tensors in their own type: of those that are stored in another one, a copy. Kernels that
/// only stream read any.
void add_copies(Plan& plan, const Workload& workload, ElementType network_type) {
  const auto form_of = [&](const PlannedKernel& k) {
    return Form{k.type, bits_of(k, workload.nodes[static_cast<std::size_t>(k.fused.root())], network_type)};
  };
  std::map<int, Form> stored;
  for (const auto& k : plan.kernels)
    for (const int input : k.fused.inputs)
      if (form_of(k).bits == plan.tensor_bits.at(input)) stored.try_emplace(input, form_of(k));
  for (auto& k : plan.kernels) {
    if (!is_product(workload.nodes[static_cast<std::size_t>(k.fused.root())])) continue;
    const Form wanted = form_of(k);
    for (int& input : k.reads) {
      if (input < 0 || stored.at(input) == wanted) continue;
      const auto known = std::find_if(plan.copies.begin(), plan.copies.end(), [&](const auto& copy) {
        return copy.second.tensor == input && copy.second.type == wanted.type &&
               plan.tensor_bits.at(copy.first) == wanted.bits;
      });
      const int copy =
          known == plan.copies.end() ? first_copy + static_cast<int>(plan.copies.size()) : known->first;
      plan.copies.try_emplace(copy, TensorCopy{input, wanted.type});
      plan.tensor_bits.try_emplace(copy, wanted.bits);
      input = copy;
    }
  }
}

void check_forms(const Plan& plan, const Workload& workload, const std::map<int, NodeForm>& forms) {
  for (const auto& [node, form] : forms) {
    network_type_name(form.type);
    const auto heads = [root = node](const PlannedKernel& k) { return k.fused.root() == root; };
    if (std::none_of(plan.kernels.begin(), plan.kernels.end(), heads))
      fail("network '{}': a form is given for node {}, which heads no kernel", workload.name, node);
    const std::string why =
        form.sparse ? sparse_illegal(workload.nodes[static_cast<std::size_t>(node)], form.type) : "";
    if (!why.empty())
      fail("node '{}': 2:4 is not legal: {}", workload.nodes[static_cast<std::size_t>(node)].name, why);
  }
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
    PlannedKernel k;
    k.fused = std::move(fused);
    k.type = options.type;
    k.reads = k.fused.inputs;
    k.edge = k.fused.root() == first || k.fused.root() == last;
    k.note = k.fused.note;
    if (const auto form = options.forms.find(k.fused.root()); form != options.forms.end()) {
      k.form = &form->second;
      k.type = form->second.type;
    } else if (is_narrow(options.type) && (k.edge || root.kind == NodeKind::batched_gemm)) {
      k.type = ElementType::s8;
      k.note = k.edge ? "stays int8: first layer or classifier" : "stays int8: both operands are activations";
    }
    if (k.fused.root() == first && root.kind == NodeKind::convolution)
      plan.converts_image = std::count(k.fused.inputs.begin(), k.fused.inputs.end(), -1) == 1;
    plan.kernels.push_back(std::move(k));
  }
  check_forms(plan, workload, options.forms);
  find_tensor_bits(plan, workload, options.type);
  if (!options.forms.empty()) add_copies(plan, workload, options.type);
  return plan;
}

}  // namespace twofour::nas
