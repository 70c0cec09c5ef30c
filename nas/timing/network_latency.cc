#include "twofour/nas/timing/network_latency.h"

#include <algorithm>
#include <set>

#include "twofour/emu/timing/attention_latency.h"
#include "twofour/emu/timing/stream_latency.h"
#include "twofour/isa/error.h"
#include "twofour/nas/timing/advice.h"
#include "twofour/nas/timing/kernel_plan.h"
#include "twofour/nas/timing/product_latency.h"
#include "twofour/nas/timing/residency.h"

namespace twofour::nas {
namespace {

using isa::ElementType;

constexpr int network_input = -1, converted_input = -2, first_weights = 1 << 24;  // names of tensors

class NetworkTimer {
 public:
  NetworkTimer(const Workload& workload, const NetworkOptions& options, const isa::Machine& machine)
      : workload_(workload),
        options_(options),
        machine_(machine),
        plan_(plan_kernels(workload, options)),
        l2_(machine.l2_mib * 1024 * 1024) {}

  /// Kernels of one inference; call it twice for the steady state.
  std::vector<KernelLatency> pass(bool advise) {
    std::vector<KernelLatency> kernels;
    if (plan_.converts_image) kernels.push_back(convert_image());
    made_.clear();
    for (const auto& planned : plan_.kernels) {
      for (const int tensor : planned.reads)
        if (plan_.copies.contains(tensor) && made_.insert(tensor).second)
          kernels.push_back(convert_tensor(tensor));
      kernels.push_back(time_kernel(planned, advise));
    }
    return kernels;
  }

 private:
  const Node& node(int i) const { return workload_.nodes[static_cast<std::size_t>(i)]; }
  emu::Launch launch() const {
    return options_.launch == emu::Launch::kernel ? emu::Launch::kernel : emu::Launch::graph;
  }

  int stored(int tensor) const {
    return tensor == network_input && plan_.converts_image ? converted_input : tensor;
  }

  double elements(int tensor) const {
    if (const auto copy = plan_.copies.find(tensor); copy != plan_.copies.end())
      return elements(copy->second.tensor);
    if (tensor >= 0) return static_cast<double>(node(tensor).elements_out);
    return static_cast<double>(workload_.nodes.front().elements_in);
  }

  double tensor_bytes(int tensor) const { return elements(tensor) * plan_.tensor_bits.at(tensor) / 8; }

  double tensor_bytes(const std::vector<int>& tensors) const {
    double sum = 0;
    for (const int tensor : tensors) sum += tensor_bytes(tensor);
    return sum;
  }

  bool held(const std::vector<int>& tensors) const {
    return std::all_of(tensors.begin(), tensors.end(), [&](int t) { return l2_.holds(stored(t)); });
  }

  /// The root, as wide as it and its siblings together.
  Node merged(const FusedKernel& fused) const {
    Node root = node(fused.root());
    for (const int sibling : fused.siblings) {
      root.n += node(sibling).n;
      root.weights += node(sibling).weights;
      root.elements_out += node(sibling).elements_out;
    }
    return root;
  }

  void touch(const PlannedKernel& planned, const Node& root, bool sparse) {
    for (const int tensor : planned.reads) l2_.touch(stored(tensor), tensor_bytes(tensor));
    if (root.weights > 0)
      l2_.touch(first_weights + planned.fused.root(), weight_bytes(root, planned.type, sparse));
    for (const int tensor : planned.fused.residuals) l2_.touch(stored(tensor), tensor_bytes(tensor));
    for (const int tensor : planned.fused.results()) l2_.touch(tensor, tensor_bytes(tensor));
  }

  /// fp32 pixels as they arrive become the first layer's type.
  KernelLatency convert_image() {
    const double pixels = elements(network_input);
    KernelLatency k;
    k.name = "input";
    k.ops = "Reformat";
    k.kind = NodeKind::movement;
    k.type = first_reader(network_input).type;
    k.bytes = pixels * sizeof(float) + tensor_bytes(network_input);
    k.latency = emu::stream_latency({k.bytes, k.bytes, 0, launch()}, machine_);
    k.note = "the fp32 image in the form that the first layer reads";
    l2_.touch(network_input, pixels * sizeof(float));
    l2_.touch(converted_input, tensor_bytes(network_input));
    return k;
  }

  const PlannedKernel& first_reader(int tensor) const {
    return *std::find_if(plan_.kernels.begin(), plan_.kernels.end(), [&](const PlannedKernel& k) {
      return std::count(k.reads.begin(), k.reads.end(), tensor) > 0;
    });
  }

  /// A stored tensor in another reader's type.
  KernelLatency convert_tensor(int copy) {
    const TensorCopy& made = plan_.copies.at(copy);
    KernelLatency k;
    k.name = node(made.tensor).name;
    k.ops = "Reformat";
    k.kind = NodeKind::movement;
    k.type = made.type;
    k.reads_l2 = held({made.tensor});
    const double read = tensor_bytes(made.tensor);
    k.bytes = read + tensor_bytes(copy);
    k.latency = emu::stream_latency({k.bytes - (k.reads_l2 ? read : 0), k.bytes, 0, launch()}, machine_);
    k.note = fmt::format("for '{}', which reads {}", node(first_reader(copy).fused.root()).name,
                         network_type_name(made.type));
    l2_.touch(stored(made.tensor), read);
    l2_.touch(copy, tensor_bytes(copy));
    return k;
  }

  KernelLatency time_kernel(const PlannedKernel& planned, bool advise) {
    const Node root = merged(planned.fused);
    KernelLatency k;
    k.name = root.name;
    for (const int n : planned.fused.nodes) k.ops += (k.ops.empty() ? "" : "+") + node(n).op;
    k.kind = root.kind;
    k.nodes = planned.fused.nodes;
    k.nodes.insert(k.nodes.end(), planned.fused.siblings.begin(), planned.fused.siblings.end());
    k.type = planned.type;
    for (const int n : k.nodes) k.macs += macs(node(n));
    k.note = planned.note;
    for (const int n : planned.fused.siblings) k.note += (k.note.empty() ? "with " : ", ") + node(n).name;
    k.reads_l2 = held(planned.reads);
    k.has_residual = !planned.fused.residuals.empty();
    k.residual_in_l2 = k.has_residual && held(planned.fused.residuals);
    k.weights_in_l2 = root.weights > 0 && l2_.holds(first_weights + planned.fused.root());
    if (planned.fused.attention)
      time_attention(k, planned, root);
    else if (is_product(root))
      time_product(k, planned, root, advise);
    else
      time_stream(k, planned, root);
    touch(planned, root, k.sparse);
    return k;
  }

  void time_product(KernelLatency& k, const PlannedKernel& planned, const Node& root, bool advise) {
    ProductForm form;
    form.type = planned.type;
    form.output_bits = plan_.tensor_bits.at(planned.fused.result());
    form.residual_bytes = tensor_bytes(planned.fused.residuals);
    form.activations_in_l2 = k.reads_l2;
    form.weights_in_l2 = k.weights_in_l2 || (root.kind == NodeKind::batched_gemm && k.reads_l2);
    form.residual_in_l2 = k.residual_in_l2;
    form.launch = launch();
    k.output_bits = form.output_bits;
    k.residual_bytes = form.residual_bytes;
    if (planned.form)
      take_form(k, form, root, *planned.form);
    else
      k.latency = product_latency(root, form, machine_);
    if (!planned.form && options_.sparse && !planned.edge && sparse_illegal(root, planned.type).empty())
      choose_sparse(k, form, root);
    k.launches = k.latency.schedule.splits > 1 ? 2 : 1;
    k.bytes = tensor_bytes(planned.reads) + weight_bytes(root, planned.type, k.sparse) + form.residual_bytes +
              tensor_bytes(planned.fused.result());
    if (advise) k.advice = twofour::nas::advise(root, form, k.latency, planned.edge, machine_);
  }

  void take_form(KernelLatency& k, ProductForm& form, const Node& root, const NodeForm& given) {
    k.sparse = form.sparse = given.sparse;
    k.latency = given.latency ? *given.latency : product_latency(root, form, machine_);
    if (given.latency) k.note = "as it is given: alone, what lies in L2 not counted";
  }

  /// The faster of the two kernels, as an engine builder picks.
  void choose_sparse(KernelLatency& k, ProductForm& form, const Node& root) {
    form.sparse = true;
    const auto sparse = product_latency(root, form, machine_);
    k.sparse = form.sparse = sparse.microseconds < k.latency.microseconds;
    if (k.sparse)
      k.latency = sparse;
    else
      k.note = "2:4 is legal, but the dense kernel is faster";
  }

  void time_attention(KernelLatency& k, const PlannedKernel& planned, const Node& scores) {
    const double read = tensor_bytes(planned.reads), written = tensor_bytes(planned.fused.result());
    k.bytes = read + written;
    emu::AttentionProblem attention;
    attention.heads = scores.batch;
    attention.rows = scores.m;
    attention.keys = scores.n;
    attention.width = scores.k;
    attention.type = planned.type;
    attention.l2_bytes = k.bytes;
    attention.dram_bytes = written + (k.reads_l2 ? 0 : read);
    attention.launch = launch();
    k.latency = emu::attention_latency(attention, machine_);
    k.advice = {refuse_sparse("both operands are activations")};
  }

  void time_stream(KernelLatency& k, const PlannedKernel& planned, const Node& root) {
    const double read =
        root.op == "Gather" ? tensor_bytes(planned.fused.result()) : tensor_bytes(planned.reads);
    const double residual = tensor_bytes(planned.fused.residuals);
    const double constants = root.op == "Gather" ? 0 : weight_bytes(root, planned.type, false);
    k.bytes = read + residual + constants + tensor_bytes(planned.fused.result());
    emu::StreamProblem stream;
    stream.l2_bytes = k.bytes;
    stream.dram_bytes = k.bytes - (k.reads_l2 ? read : 0) - (k.residual_in_l2 ? residual : 0) -
                        (k.weights_in_l2 ? constants : 0);
    stream.launch = launch();
    k.latency = emu::stream_latency(stream, machine_);
  }

  const Workload& workload_;
  const NetworkOptions& options_;
  const isa::Machine& machine_;
  Plan plan_;
  Residency l2_;
  std::set<int> made_;  ///< copies, in this pass
};

/// Kernels one after the other. In a stream the host issues one launch after the other, too, and a kernel
/// waits for its own. Returns the end of the last.
double run_timeline(std::vector<KernelLatency>& kernels, const NetworkOptions& options,
                    const isa::Machine& machine) {
  const bool stream = options.launch == emu::Launch::stream || options.launch == emu::Launch::as_measured;
  double host = 0, end = 0;
  for (auto& k : kernels) {
    const double before = end;
    if (stream) host += machine.launch_stream_us * k.launches;
    const double start = std::max(end, stream ? host - machine.launch_graph_us : 0);
    end = start + k.latency.microseconds;
    k.microseconds = end - before;
  }
  return end;
}

void add_totals(NetworkLatency& network, const NetworkOptions& options, const isa::Machine& machine) {
  network.low_us = network.high_us = network.host_us;
  for (auto& k : network.kernels) {
    k.low_us = k.microseconds * k.latency.low_us / k.latency.microseconds;
    k.high_us = k.microseconds * k.latency.high_us / k.latency.microseconds;
    network.low_us += k.low_us;
    network.high_us += k.high_us;
    k.share = k.microseconds / network.microseconds;
    network.launches += k.launches;
    if (k.latency.bound == emu::Bound::tensor_pipe) network.tensor_bound_share += k.share;
    if (k.macs > 0) network.fidelity = std::max(network.fidelity, k.latency.fidelity);
  }
  std::map<ElementType, std::int64_t> macs;
  for (const auto& k : network.kernels) macs[options.forms.empty() ? options.type : k.type] += k.macs;
  network.peak_fraction = 0;
  for (const auto& [type, count] : macs) {
    const auto accumulator = isa::is_float(type) ? ElementType::f32 : ElementType::s32;
    const double peak = machine.fma_per_clk(type, accumulator) * machine.sms * machine.boost_mhz;
    network.peak_fraction += static_cast<double>(count) / (peak * network.microseconds);
  }
  network.items_per_second = static_cast<double>(network.batch) / network.microseconds * 1e6;
}

}  // namespace

NetworkLatency network_latency(const Workload& workload, const NetworkOptions& options,
                               const isa::Machine& machine, const NetworkConstants& constants) {
  check(workload);
  network_type_name(options.type);
  NetworkLatency network;
  network.network = workload.name;
  network.batch = workload.batch;
  network.macs = macs(workload);
  network.weights = weights(workload);
  network.fidelity = emu::TimingFidelity::measured;

  NetworkTimer timer(workload, options, machine);
  timer.pass(false);
  network.kernels = timer.pass(options.advise);
  network.microseconds = run_timeline(network.kernels, options, machine);
  if (options.launch == emu::Launch::as_measured) network.host_us = constants.call_us;
  network.microseconds += network.host_us;
  add_totals(network, options, machine);
  return network;
}

}  // namespace twofour::nas
