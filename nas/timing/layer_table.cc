#include "twofour/nas/timing/layer_table.h"

#include <algorithm>
#include <map>
#include <set>

#include "twofour/isa/error.h"
#include "twofour/nas/timing/network_latency.h"
#include "twofour/nas/timing/product_latency.h"

namespace twofour::nas {
namespace {

bool has_weights(const Node& n) {
  return n.kind == NodeKind::convolution || n.kind == NodeKind::gemm;
}

void check_options(const std::vector<Option>& options, const isa::Machine& machine) {
  if (options.empty()) fail("a latency table needs at least one option");
  std::set<Option> seen;
  for (const Option o : options) {
    if (!seen.insert(o).second) fail("option {} is named twice", name(o));
    if (machine.fma_per_clk(info(o).weight, info(o).accumulator) <= 0)
      fail("{} has no Tensor Cores for option {}; leave it out", machine.name, name(o));
  }
}

/// The network in one type: the kernels of its layers by node. Several layers may share a kernel (query, key
/// and value).
struct TypedNetwork {
  NetworkLatency latency;
  std::map<int, const KernelLatency*> kernels;
  double rest_us = 0;  ///< of kernels without a layer

  TypedNetwork(const Workload& workload, isa::ElementType type, const isa::Machine& machine) {
    NetworkOptions options;
    options.type = type;
    options.advise = false;
    latency = network_latency(workload, options, machine);
    rest_us = latency.microseconds;
    for (const KernelLatency& k : latency.kernels) {
      const std::size_t known = kernels.size();
      for (const int node : k.nodes)
        if (has_weights(workload.nodes[static_cast<std::size_t>(node)])) kernels.emplace(node, &k);
      if (kernels.size() > known) rest_us -= k.microseconds;
    }
  }
};

ProductForm form_of(const Node& node, const OptionInfo& option, const KernelLatency& kernel) {
  ProductForm form;
  form.type = option.weight;
  form.sparse = option.sparse;
  form.output_bits = option.activation_bits;
  if (kernel.has_residual)
    form.residual_bytes = static_cast<double>(node.elements_out) * option.activation_bits / 8;
  if (is_bit_serial(option.option)) {
    form.weight_planes = option.weight_bits;
    form.activation_planes = option.activation_bits;
  }
  form.activations_in_l2 = kernel.reads_l2;
  form.weights_in_l2 = kernel.weights_in_l2;
  form.residual_in_l2 = kernel.residual_in_l2;
  return form;
}

OptionTime time_option(const Node& node, Option option, const KernelLatency& kernel,
                       const isa::Machine& machine) {
  OptionTime time{option, "", {}};
  if (info(option).sparse) time.illegal = sparse_illegal(node, info(option).weight);
  if (time.illegal.empty())
    time.latency = product_latency(node, form_of(node, info(option), kernel), machine);
  return time;
}

std::vector<LayerTime> layers_of(const Workload& workload) {
  std::map<std::string, int> uses;
  for (const Node& n : workload.nodes) ++uses[n.name];
  std::vector<LayerTime> layers;
  for (int i = 0; const Node& n : workload.nodes) {
    if (has_weights(n))
      layers.push_back({uses[n.name] > 1 ? fmt::format("{}#{}", n.name, i) : n.name, i, {}});
    ++i;
  }
  return layers;
}

}  // namespace

LayerTable layer_table(const Workload& workload, const std::vector<Option>& options,
                       const isa::Machine& machine) {
  check_options(options, machine);
  LayerTable table{workload.name, workload.batch, layers_of(workload), {}};
  if (table.layers.empty()) fail("network '{}' has no layer with weights", workload.name);
  for (const Option option : options) {
    const TypedNetwork network(workload, info(option).weight, machine);
    for (LayerTime& layer : table.layers) {
      const KernelLatency& kernel = *network.kernels.at(layer.node);
      const Node& node = workload.nodes[static_cast<std::size_t>(layer.node)];
      layer.options.push_back(time_option(node, option, kernel, machine));
    }
    table.other_us.push_back(network.rest_us);
  }
  return table;
}

}  // namespace twofour::nas
