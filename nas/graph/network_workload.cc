#include "twofour/nas/graph/network_workload.h"

#include <map>
#include <tuple>

#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

class Expansion {
 public:
  Expansion(const Network& network, std::int64_t batch) : network_(network), batch_(batch) {
    if (network.layers.empty()) fail("network '{}' has no layers", network.name);
    workload_.name = network.name;
    workload_.batch = batch;
    const emu::ConvShape& s = network.layers[0].shape;
    tensors_ = {{-1, batch * s.height * s.width * s.in_channels}};
  }

  Workload run() {
    for (const Layer& layer : network_.layers) add_layer(layer);
    check(workload_);
    return std::move(workload_);
  }

 private:
  /// A tensor: the node that wrote it (-1: the image) and its elements.
  struct Tensor {
    int node;
    std::int64_t elements;
  };

  Tensor append(Node node, std::vector<int> inputs, std::int64_t elements_out) {
    node.inputs = std::move(inputs);
    node.elements_out = elements_out;
    workload_.nodes.push_back(std::move(node));
    return {int(workload_.nodes.size()) - 1, elements_out};
  }

  static Node plain(std::string name, std::string op, NodeKind kind, std::int64_t elements_in) {
    Node n;
    n.name = std::move(name);
    n.op = std::move(op);
    n.kind = kind;
    n.elements_in = elements_in;
    return n;
  }

  const Tensor& tensor(int index, const Layer& layer) const {
    if (index < 0 || index >= int(tensors_.size()))
      fail("layer '{}' reads tensor {}, which does not exist before it", layer.name, index);
    return tensors_[std::size_t(index)];
  }

  /// A tensor after a pool whose result has so many elements; one node where several layers pool it alike.
  Tensor pooled(int index, const Pool& p, const Layer& layer, std::int64_t elements) {
    const Tensor in = tensor(index, layer);
    if (p.kind == PoolKind::none) return in;
    const auto [known, added] = pools_.try_emplace({index, int(p.kind), p.kernel, p.stride, p.pad}, Tensor{});
    if (added)
      known->second =
          append(plain(layer.name + ".pool", p.kind == PoolKind::max ? "MaxPool" : "GlobalAveragePool",
                       NodeKind::pooling, in.elements),
                 {in.node}, elements);
    return known->second;
  }

  Tensor convolution(const Layer& layer, const Tensor& in) {
    const emu::ConvShape& s = layer.shape;
    Node n = plain(layer.name, "Conv", NodeKind::convolution, in.elements);
    n.batch = batch_;
    n.height = s.height, n.width = s.width, n.channels = s.in_channels;
    n.filters = s.out_channels;
    n.kernel_h = s.kernel_h, n.kernel_w = s.kernel_w;
    n.stride_h = n.stride_w = s.stride;
    n.pad_h = n.pad_w = 2 * s.pad;
    n.groups = layer.groups;
    n.weights = s.gemm_m() * s.gemm_k() / layer.groups + s.out_channels;
    return append(std::move(n), {in.node}, batch_ * s.gemm_m() * s.gemm_n());
  }

  void add_layer(const Layer& layer) {
    const emu::ConvShape& s = layer.shape;
    Tensor x = convolution(
        layer, pooled(layer.input, layer.pool, layer, batch_ * s.height * s.width * s.in_channels));
    if (layer.residual >= 0) {
      const Tensor other = pooled(layer.residual, layer.residual_pool, layer, x.elements);
      x = append(plain(layer.name + ".add", "Add", NodeKind::elementwise, x.elements + other.elements),
                 {x.node, other.node}, x.elements);
    }
    if (layer.activation != Activation::none) {
      const char* op = layer.activation == Activation::relu ? "Relu" : "Clip";
      x = append(plain(layer.name + ".act", op, NodeKind::elementwise, x.elements), {x.node}, x.elements);
    }
    tensors_.push_back(x);
  }

  const Network& network_;
  std::int64_t batch_;
  Workload workload_;
  std::vector<Tensor> tensors_;
  std::map<std::tuple<int, int, int, int, int>, Tensor> pools_;
};

}  // namespace

Workload workload_of(const Network& network, std::int64_t batch) {
  return Expansion(network, batch).run();
}

std::vector<int> convolution_nodes(const Workload& workload) {
  std::vector<int> nodes;
  for (std::size_t i = 0; i < workload.nodes.size(); ++i)
    if (workload.nodes[i].kind == NodeKind::convolution) nodes.push_back(int(i));
  return nodes;
}

}  // namespace twofour::nas
