#include "twofour/cli/network_print.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

namespace twofour::cli {
namespace {

using nas::KernelLatency;
using nas::NetworkLatency;
using nas::NetworkOptions;

/// 7018 as "7,018".
std::string grouped(double value) {
  std::string digits = fmt::format("{:.0f}", value);
  for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > 0; i -= 3)
    digits.insert(static_cast<std::size_t>(i), 1, ',');
  return digits;
}

std::string duration(double us) {
  return us < 1000 ? fmt::format("{:.4g} us", us) : fmt::format("{:.4g} ms", us / 1000);
}

/// 4089184256 as "4.09 G".
std::string scaled(std::int64_t count) {
  const double value = static_cast<double>(count);
  if (value >= 1e9) return fmt::format("{:.3g} G", value / 1e9);
  return value >= 1e6 ? fmt::format("{:.3g} M", value / 1e6) : grouped(value);
}

std::string_view launch_text(emu::Launch launch) {
  switch (launch) {
    case emu::Launch::graph:
      return "one CUDA graph; as-measured adds what a stream and the host call of an inference cost";
    case emu::Launch::stream: return "kernels launched into a stream one by one";
    case emu::Launch::kernel: return "the kernels alone, as a profiler reports them";
    case emu::Launch::as_measured: return "a stream and one host call, as the published inference benchmark";
  }
  return "";
}

std::string short_ops(const KernelLatency& k) {
  std::string text = k.ops;
  for (const auto& [from, to] : {std::pair<std::string_view, std::string_view>{"BatchNormalization", "BN"},
                                 {"LayerNormalization", "LayerNorm"},
                                 {"GlobalAveragePool", "AvgPool"}})
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from))
      text.replace(at, from.size(), to);
  return text;
}

bool has_tile(const KernelLatency& k) {
  return k.latency.schedule.tile.m > 0;
}

std::string schedule_text(const KernelLatency& k) {
  if (k.latency.gemv) return "matrix-vector";
  if (!has_tile(k)) return k.latency.ctas > 0 ? "a CTA a head" : "stream";
  const auto& tile = k.latency.schedule.tile;
  const std::string split =
      k.latency.schedule.splits > 1 ? fmt::format(" /{}", k.latency.schedule.splits) : "";
  return fmt::format("{}x{}x{}{}", tile.m, tile.n, tile.k(k.type), split);
}

std::string type_text(const KernelLatency& k) {
  return std::string(nas::network_type_name(k.type)) + (k.sparse ? " 2:4" : "");
}

std::string remarks(const KernelLatency& k) {
  std::vector<std::string> parts;
  for (const auto& a : k.advice) parts.push_back(fmt::format("{}: {}", a.option, a.reason));
  if (!k.note.empty()) parts.push_back(k.note);
  return fmt::format("{}", fmt::join(parts, "; "));
}

/// "DRAM 41 %, L2 38 %, tensor-pipe 12 % of the time": what binds the kernels, the largest first.
std::string bound_shares(const NetworkLatency& network) {
  std::map<std::string_view, double> by_bound;
  for (const auto& k : network.kernels) by_bound[name(k.latency.bound)] += k.share;
  std::vector<std::pair<double, std::string_view>> shares;
  for (const auto& [bound, share] : by_bound) shares.emplace_back(share, bound);
  std::sort(shares.rbegin(), shares.rend());
  std::string text;
  for (const auto& [share, bound] : shares)
    text += fmt::format("{}{} {:.0f} %", text.empty() ? "" : ", ", bound, 100 * share);
  return text + " of the time";
}

void append_table(std::string& out, const NetworkLatency& network) {
  std::size_t name = 5, ops = 6;
  for (const auto& k : network.kernels) {
    name = std::max(name, k.name.size());
    ops = std::max(ops, short_ops(k).size());
  }
  out += fmt::format("{:<{}}  {:<{}}  {:>9} {:>5}  {:<8}  {:<15}  {:<13}  {}\n", "layer", name, "kernel", ops,
                     "us", "%", "type", "tile", "bound", "what pays");
  for (const auto& k : network.kernels)
    out += fmt::format("{:<{}}  {:<{}}  {:>9.2f} {:>5.1f}  {:<8}  {:<15}  {:<13}  {}\n", k.name, name,
                       short_ops(k), ops, k.microseconds, 100 * k.share, type_text(k), schedule_text(k),
                       emu::name(k.latency.bound), remarks(k));
}

nlohmann::ordered_json advice_json(const KernelLatency& k) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& a : k.advice)
    list.push_back(
        {{"option", a.option}, {"legal", a.legal}, {"pays", a.pays}, {"gain", a.gain}, {"reason", a.reason}});
  return list;
}

nlohmann::ordered_json kernel_json(const KernelLatency& k) {
  nlohmann::ordered_json fields{{"name", k.name},
                                {"kernel", k.ops},
                                {"kind", name(k.kind)},
                                {"nodes", k.nodes},
                                {"microseconds", k.microseconds},
                                {"low_us", k.low_us},
                                {"high_us", k.high_us},
                                {"share", k.share},
                                {"dtype", nas::network_type_name(k.type)},
                                {"sparse", k.sparse},
                                {"bound", name(k.latency.bound)},
                                {"fidelity", name(k.latency.fidelity)},
                                {"launches", k.launches},
                                {"macs", k.macs},
                                {"bytes", k.bytes},
                                {"peak_fraction", k.latency.peak_fraction},
                                {"tensor_floor_us", k.latency.tensor_floor_us},
                                {"dram_floor_us", k.latency.dram_floor_us},
                                {"input_in_l2", k.reads_l2},
                                {"weights_in_l2", k.weights_in_l2}};
  if (k.has_residual) fields["residual_in_l2"] = k.residual_in_l2;
  if (has_tile(k)) {
    const auto& t = k.latency.schedule.tile;
    fields["tile"] = {{"m", t.m},           {"n", t.n},           {"k", t.k(k.type)},
                      {"stages", t.stages}, {"warps", t.warps()}, {"split_k", k.latency.schedule.splits}};
    fields["ctas"] = k.latency.ctas;
    fields["waves"] = k.latency.waves;
  }
  fields["advice"] = advice_json(k);
  fields["note"] = k.note;
  return fields;
}

}  // namespace

std::string network_text(const NetworkLatency& network, const NetworkOptions& options, std::string_view item,
                         const isa::Machine& machine) {
  const std::string many(item);
  std::string out =
      fmt::format("{} ({} to {}) for {} {}, {} {}/s, {} kernels\n", duration(network.microseconds),
                  duration(network.low_us), duration(network.high_us), network.batch,
                  network.batch == 1 ? many.substr(0, many.size() - 1) : many,
                  grouped(network.items_per_second), item, network.launches);
  out += fmt::format("network    {}: {} multiply-adds, {} weights; {:.0f} % of the dense {} peak\n",
                     network.network, scaled(network.macs), scaled(network.weights),
                     100 * network.peak_fraction, nas::network_type_name(options.type));
  out += fmt::format("machine    {}\n", machine.name);
  out += fmt::format("bound      {}\n", bound_shares(network));
  out += fmt::format("counts     {}\n", launch_text(options.launch));
  if (network.host_us > 0) out += fmt::format("host call  {:.4g} us of it\n", network.host_us);
  out += fmt::format("fidelity   {}\n\n", name(network.fidelity));
  append_table(out, network);
  return out;
}

nlohmann::ordered_json network_json(const NetworkLatency& network, const NetworkOptions& options,
                                    std::string_view item, const isa::Machine& machine) {
  nlohmann::ordered_json fields{{"network", network.network},
                                {"machine", machine.name},
                                {"batch", network.batch},
                                {"item", item},
                                {"dtype", nas::network_type_name(options.type)},
                                {"sparse", options.sparse},
                                {"fusion", options.fusion},
                                {"launch", name(options.launch)},
                                {"predicted_us", network.microseconds},
                                {"low_us", network.low_us},
                                {"high_us", network.high_us},
                                {"items_per_second", network.items_per_second},
                                {"host_us", network.host_us},
                                {"launches", network.launches},
                                {"tensor_bound_share", network.tensor_bound_share},
                                {"macs", network.macs},
                                {"weights", network.weights},
                                {"peak_fraction", network.peak_fraction},
                                {"fidelity", name(network.fidelity)}};
  auto kernels = nlohmann::ordered_json::array();
  for (const auto& k : network.kernels) kernels.push_back(kernel_json(k));
  fields["kernels"] = std::move(kernels);
  return fields;
}

}  // namespace twofour::cli
