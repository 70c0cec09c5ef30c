#include "twofour/nas/timing/fusion.h"

#include <algorithm>

#include "twofour/emu/timing/attention_latency.h"

namespace twofour::nas {
namespace {

constexpr int unassigned = -1;

bool is_product(const Node& n) {
  return n.kind == NodeKind::convolution || n.kind == NodeKind::gemm || n.kind == NodeKind::batched_gemm;
}

bool is_pointwise(const Node& n) {
  return n.kind == NodeKind::elementwise ||
         (n.kind == NodeKind::normalisation && n.op == "BatchNormalization");
}

bool has_epilogue(const Node& n) {
  return is_product(n) || is_pointwise(n) || n.kind == NodeKind::normalisation || n.kind == NodeKind::softmax;
}

class Fuser {
 public:
  Fuser(const Workload& workload, bool fusion)
      : nodes_(workload.nodes),
        fusion_(fusion),
        tensor_(nodes_.size()),
        readers_(nodes_.size()),
        kernel_(nodes_.size(), unassigned) {
    for (int i = 0; i < size(); ++i) tensor_[at(i)] = is_alias(i) ? tensor(nodes_[at(i)].inputs.front()) : i;
    for (int i = 0; i < size(); ++i)
      if (tensor_[at(i)] == i)
        for (const int input : inputs(i))
          if (input >= 0) readers_[at(input)].push_back(i);
  }

  std::vector<FusedKernel> run() {
    std::vector<FusedKernel> kernels;
    for (int i = 0; i < size(); ++i) {
      if (tensor_[at(i)] != i || kernel_[at(i)] != unassigned) continue;
      FusedKernel kernel;
      kernel.nodes = fusion_ && has_epilogue(nodes_[at(i)]) ? longest_closed(grown(i)) : std::vector<int>{i};
      kernel.inputs = inputs(i);
      if (fusion_) extend_attention(kernel);
      if (fusion_) add_siblings(kernel);
      for (const int node : kernel.nodes) kernel_[at(node)] = static_cast<int>(kernels.size());
      for (const int node : kernel.siblings) kernel_[at(node)] = static_cast<int>(kernels.size());
      add_residuals(kernel);
      if (fusion_) kernel.note = note(i);
      kernels.push_back(std::move(kernel));
    }
    return kernels;
  }

 private:
  static std::size_t at(int i) { return static_cast<std::size_t>(i); }
  int size() const { return static_cast<int>(nodes_.size()); }
  int tensor(int node) const { return node < 0 ? -1 : tensor_[at(node)]; }

  std::vector<int> inputs(int i) const {
    std::vector<int> tensors;
    for (const int input : nodes_[at(i)].inputs) tensors.push_back(tensor(input));
    return tensors;
  }

  /// Views, and with fusion transposes that a product reads or writes through its strides.
  bool is_alias(int i) const {
    const Node& n = nodes_[at(i)];
    if (n.inputs.empty()) return false;
    if (n.kind == NodeKind::view) return true;
    if (!fusion_ || n.op != "Transpose") return false;
    const int input = n.inputs.front();
    if (input >= 0 && is_product(nodes_[at(input)])) return true;
    bool read = false;
    for (int j = i + 1; j < size(); ++j)
      for (const int other : nodes_[at(j)].inputs)
        if (other == i) {
          if (!is_product(nodes_[at(j)])) return false;
          read = true;
        }
    return read;
  }

  static bool contains(const std::vector<int>& list, int value) {
    return std::find(list.begin(), list.end(), value) != list.end();
  }

  /// A pointwise node whose operands are members, or exist before the root starts.
  bool can_join(int i, const std::vector<int>& members) const {
    if (!is_pointwise(nodes_[at(i)]) || kernel_[at(i)] != unassigned || contains(members, i)) return false;
    const auto operands = inputs(i);
    return std::all_of(operands.begin(), operands.end(), [&](int operand) {
      return operand < 0 || contains(members, operand) || kernel_[at(operand)] != unassigned;
    });
  }

  std::vector<int> grown(int root) const {
    std::vector<int> members{root};
    for (;;) {
      int next = size();
      for (const int member : members)
        for (const int reader : readers_[at(member)])
          if (reader < next && can_join(reader, members)) next = reader;
      if (next == size()) return members;
      members.push_back(next);
    }
  }

  /// The longest part in which only the last result is read from outside.
  std::vector<int> longest_closed(std::vector<int> members) const {
    const auto closed = [&] {
      return std::all_of(members.begin(), members.end() - 1, [&](int member) {
        const auto& readers = readers_[at(member)];
        return !readers.empty() && std::all_of(readers.begin(), readers.end(),
                                               [&](int reader) { return contains(members, reader); });
      });
    };
    while (members.size() > 1 && !closed()) members.pop_back();
    return members;
  }

  /// The only reader of a tensor, if it is of that kind; else -1.
  int only_reader(int tensor, NodeKind kind) const {
    const auto& readers = readers_[at(tensor)];
    return readers.size() == 1 && nodes_[at(readers.front())].kind == kind ? readers.front() : -1;
  }

  /// Scores become a whole attention when softmax and the product with the values follow.
  void extend_attention(FusedKernel& kernel) const {
    const Node& scores = nodes_[at(kernel.root())];
    if (scores.kind != NodeKind::batched_gemm || !emu::attention_fits(scores.m, scores.n, scores.k)) return;
    const int softmax = only_reader(kernel.result(), NodeKind::softmax);
    const int context = softmax < 0 ? -1 : only_reader(softmax, NodeKind::batched_gemm);
    if (context < 0) return;
    for (const int operand : inputs(context))
      if (operand != softmax) {
        if (operand >= 0 && kernel_[at(operand)] == unassigned) return;  // values that come later
        kernel.inputs.push_back(operand);
      }
    kernel.nodes.push_back(softmax);
    kernel.nodes.push_back(context);
    kernel.attention = true;
  }

  /// Later products that read what the root reads, as many as have nothing in their epilogues.
  void add_siblings(FusedKernel& kernel) const {
    const Node& root = nodes_[at(kernel.root())];
    if (root.kind != NodeKind::gemm || kernel.nodes.size() > 1 || kernel.inputs.size() != 1 ||
        kernel.inputs.front() < 0)
      return;
    for (const int reader : readers_[at(kernel.inputs.front())]) {
      const Node& n = nodes_[at(reader)];
      if (reader <= kernel.root() || n.kind != NodeKind::gemm || n.k != root.k || n.m != root.m) continue;
      if (longest_closed(grown(reader)).size() == 1) kernel.siblings.push_back(reader);
    }
  }

  void add_residuals(FusedKernel& kernel) const {
    if (kernel.attention) return;
    for (std::size_t k = 1; k < kernel.nodes.size(); ++k)
      for (const int operand : inputs(kernel.nodes[k]))
        if (!contains(kernel.nodes, operand)) kernel.residuals.push_back(operand);
  }

  std::string note(int root) const {
    const Node& n = nodes_[at(root)];
    if (!is_pointwise(n)) return "";
    for (const int input : inputs(root)) {
      if (input < 0) continue;
      if (!has_epilogue(nodes_[at(input)]))
        return "not fused: a " + std::string(name(nodes_[at(input)].kind)) + " kernel has no epilogue";
      if (readers_[at(input)].size() > 1) return "not fused: its input has another reader";
    }
    return "not fused: its operands are ready at different times";
  }

  const std::vector<Node>& nodes_;
  bool fusion_;
  std::vector<int> tensor_;                ///< the node that wrote a node's result
  std::vector<std::vector<int>> readers_;  ///< of a tensor, views followed
  std::vector<int> kernel_;                ///< of a node
};

}  // namespace

std::vector<int> FusedKernel::results() const {
  std::vector<int> tensors{result()};
  tensors.insert(tensors.end(), siblings.begin(), siblings.end());
  return tensors;
}

std::vector<FusedKernel> fuse(const Workload& workload, bool fusion) {
  return Fuser(workload, fusion).run();
}

}  // namespace twofour::nas
