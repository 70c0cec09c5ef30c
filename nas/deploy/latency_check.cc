#include "twofour/nas/deploy/latency_check.h"

#include <algorithm>
#include <cmath>

#include "twofour/isa/error.h"
#include "twofour/nas/graph/network_workload.h"
#include "twofour/nas/timing/layer_latency.h"
#include "twofour/nas/timing/product_latency.h"

namespace twofour::nas {
namespace {

constexpr double close_enough = 0.10;  // a sum that errs by less ranks networks well enough
constexpr double negligible_us = 1e-6;

bool has_network_form(Option o) {
  return !is_bit_serial(o) || o == Option::int1;
}

NodeForm form_of(Option o) {
  const OptionInfo& i = info(o);
  return {i.weight, i.sparse, is_bit_serial(o) ? i.activation_bits : isa::bits(i.activation), {}};
}

void add(std::vector<LatencyStep>& steps, std::string reason, double us) {
  if (std::abs(us) > negligible_us) steps.push_back({std::move(reason), us});
}

std::string_view place(bool in_l2) {
  return in_l2 ? "in L2" : "in DRAM";
}

/// From the layer alone (and without its pool) to its kernel in the network, one circumstance after the
/// other.
std::vector<LatencyStep> steps_of(const LayerLatencyCheck& layer, double without_pool_us, const Node& node,
                                  const KernelLatency& kernel, const isa::Machine& machine) {
  std::vector<LatencyStep> steps;
  double before = without_pool_us;
  add(steps, "its pool is a kernel in front", without_pool_us - layer.alone_us);
  ProductForm form{
      .type = kernel.type, .sparse = kernel.sparse, .output_bits = isa::bits(info(layer.option).activation)};
  const auto step = [&](std::string reason) {
    const double us = product_latency(node, form, machine).microseconds;
    add(steps, std::move(reason), us - before);
    before = us;
  };
  form.weights_in_l2 = kernel.weights_in_l2;
  form.activations_in_l2 = kernel.reads_l2;
  step(fmt::format("activations {}, weights {}", place(kernel.reads_l2), place(kernel.weights_in_l2)));
  form.output_bits = kernel.output_bits;
  step("output stored for its reader");
  form.residual_bytes = kernel.residual_bytes;
  form.residual_in_l2 = kernel.residual_in_l2;
  step("residual read");
  return steps;
}

std::string extra_reason(const KernelLatency& kernel) {
  const std::string type(network_type_name(kernel.type));
  if (kernel.name == "input") return "image to " + type;
  if (kernel.kind == NodeKind::pooling) return "pool";
  return kernel.ops == "Reformat" ? "conversion to " + type : kernel.ops + " of its own";
}

/// Adds up equal reasons; the largest first.
std::vector<LatencyStep> totals_of(const std::vector<LayerLatencyCheck>& layers) {
  std::vector<LatencyStep> totals;
  for (const LayerLatencyCheck& layer : layers)
    for (const auto* steps : {&layer.steps, &layer.extras})
      for (const LatencyStep& s : *steps) {
        const auto known = std::find_if(totals.begin(), totals.end(),
                                        [&](const LatencyStep& t) { return t.reason == s.reason; });
        if (known == totals.end())
          totals.push_back(s);
        else
          known->us += s.us;
      }
  std::stable_sort(totals.begin(), totals.end(), [](const LatencyStep& a, const LatencyStep& b) {
    return std::abs(a.us) > std::abs(b.us);
  });
  return totals;
}

std::string verdict_of(const LatencyCheck& c) {
  const double difference = c.difference();
  std::string text =
      fmt::format("The network takes {:.1f} us, {:.1f} % {} than the {:.1f} us that the layers add up to",
                  c.network_us, std::abs(difference) * 100, difference < 0 ? "less" : "more", c.searched_us);
  text += std::abs(difference) <= close_enough
              ? fmt::format(": the sum is within {:.0f} %.", close_enough * 100)
              : fmt::format(": the sum is not within {:.0f} %.", close_enough * 100);
  for (std::size_t i = 0; i < std::min<std::size_t>(3, c.totals.size()); ++i)
    text += fmt::format("{}{} {:+.1f} us", i == 0 ? " Mostly: " : ", ", c.totals[i].reason, c.totals[i].us);
  return c.totals.empty() ? text : text + ".";
}

class Check {
 public:
  Check(const Network& network, const std::vector<Option>& options, std::int64_t batch,
        const isa::Machine& machine)
      : network_(network), options_(options), machine_(machine), workload_(workload_of(network, batch)) {
    out_.network = network.name;
    out_.machine = machine.name;
    out_.batch = batch;
  }

  LatencyCheck run() {
    for (std::size_t i = 0; i < options_.size(); ++i) {
      LayerLatencyCheck layer;
      layer.name = network_.layers[i].name;
      layer.option = options_[i];
      layer.alone_us = layer_latency(network_.layers[i], options_[i], int(out_.batch), machine_).microseconds;
      out_.searched_us += layer.alone_us;
      out_.layers.push_back(std::move(layer));
    }
    NetworkOptions options{.advise = false};
    options.forms = node_forms(network_, options_, workload_, machine_);
    options.type = options.forms.at(convolution_nodes(workload_).front()).type;
    const NetworkLatency latency = network_latency(workload_, options, machine_);
    out_.network_us = latency.microseconds;
    out_.low_us = latency.low_us;
    out_.high_us = latency.high_us;
    assign(latency);
    out_.totals = totals_of(out_.layers);
    out_.verdict = verdict_of(out_);
    return std::move(out_);
  }

 private:
  /// Kernels run in the order of their layers; those between two products belong to the second.
  void assign(const NetworkLatency& latency) {
    const std::vector<int> nodes = convolution_nodes(workload_);
    std::vector<LatencyStep> extras;
    std::size_t next = 0;
    for (const KernelLatency& kernel : latency.kernels) {
      if (kernel.kind != NodeKind::convolution) {
        extras.push_back({extra_reason(kernel), kernel.microseconds});
        continue;
      }
      LayerLatencyCheck& layer = out_.layers.at(next);
      set(layer, next, workload_.nodes[std::size_t(nodes[next])], kernel);
      for (const LatencyStep& e : extras) layer.extra_us += e.us;
      layer.extras = std::move(extras);
      extras.clear();
      ++next;
    }
  }

  double without_pool_us(std::size_t index) const {
    Layer layer = network_.layers[index];
    layer.pool.pixels = 0;
    return layer_latency(layer, options_[index], int(out_.batch), machine_).microseconds;
  }

  void set(LayerLatencyCheck& layer, std::size_t index, const Node& node, const KernelLatency& kernel) const {
    layer.network_us = kernel.microseconds;
    if (has_network_form(layer.option))
      layer.steps = steps_of(layer, without_pool_us(index), node, kernel, machine_);
    else
      layer.note = "several int1 products: layer_latency stands for the kernel in the network";
  }

  const Network& network_;
  const std::vector<Option>& options_;
  const isa::Machine& machine_;
  Workload workload_;
  LatencyCheck out_;
};

}  // namespace

std::map<int, NodeForm> node_forms(const Network& network, const std::vector<Option>& options,
                                   const Workload& workload, const isa::Machine& machine) {
  if (options.size() != network.layers.size())
    fail("network '{}': {} options for {} layers; give one each", network.name, options.size(),
         network.layers.size());
  const std::vector<int> nodes = convolution_nodes(workload);
  std::map<int, NodeForm> forms;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    NodeForm form = form_of(options[i]);
    const int input = workload.nodes[std::size_t(nodes[i])].inputs.front();
    if (input >= 0 && workload.nodes[std::size_t(input)].kind == NodeKind::pooling)
      forms.try_emplace(input, NodeForm{form.type, false, form.bits, {}});
    if (!has_network_form(options[i]))
      form.latency = layer_latency(network.layers[i], options[i], int(workload.batch), machine);
    forms.emplace(nodes[i], std::move(form));
  }
  return forms;
}

LatencyCheck check_latency(const Network& network, const std::vector<Option>& options, std::int64_t batch,
                           const isa::Machine& machine) {
  if (options.size() != network.layers.size())
    fail("network '{}': {} options for {} layers; give one each", network.name, options.size(),
         network.layers.size());
  return Check(network, options, batch, machine).run();
}

}  // namespace twofour::nas
