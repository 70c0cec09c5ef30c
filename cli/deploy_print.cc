#include "twofour/cli/deploy_print.h"

#include <fmt/format.h>

#include <algorithm>

#include "twofour/cli/kernel_flags.h"

namespace twofour::cli {
namespace {

using nas::KernelCheck;
using nas::KernelNetwork;
using nas::LoweredLayer;

std::size_t name_width(const nas::Network& network) {
  std::size_t width = 5;
  for (const nas::Layer& l : network.layers) width = std::max(width, l.name.size());
  return width;
}

std::string tile_text(const LoweredLayer& l) {
  const emu::Tile& t = l.schedule.tile;
  const std::string split = l.schedule.splits > 1 ? fmt::format(" /{}", l.schedule.splits) : "";
  return fmt::format("{}x{}x{}{}", t.m, t.n, t.k(l.kernel.problem.instruction->b), split);
}

std::string simulated_text(const LoweredLayer& l) {
  return l.simulated_us ? fmt::format("{:.2f}", *l.simulated_us) : "-";
}

/// What a reader of a row should know.
std::string notes(const LoweredLayer& l) {
  if (!l.lowered()) return "not lowered: " + l.kernel.reason;
  std::string text = l.schedule_note;
  if (!l.simulated_note.empty())
    text += (text.empty() ? "" : "; ") + std::string("not simulated: ") + l.simulated_note;
  return text;
}

std::string verdict_text(std::int64_t compared, std::int64_t differing, int images) {
  return fmt::format("{} words of {} image{} compared with the reference: {} differ\n", compared, images,
                     images == 1 ? "" : "s", differing);
}

nlohmann::ordered_json steps_json(const std::vector<nas::LatencyStep>& steps) {
  auto list = nlohmann::ordered_json::array();
  for (const nas::LatencyStep& s : steps) list.push_back({{"reason", s.reason}, {"us", s.us}});
  return list;
}

std::string steps_text(const nas::LayerLatencyCheck& l) {
  std::string text = l.note;
  for (const auto* steps : {&l.steps, &l.extras})
    for (const nas::LatencyStep& s : *steps)
      if (std::abs(s.us) >= 0.005)
        text += fmt::format("{}{} {:+.2f}", text.empty() ? "" : ", ", s.reason, s.us);
  return text;
}

nlohmann::ordered_json layer_json(const LoweredLayer& l, const nas::LayerKernelCheck& c) {
  nlohmann::ordered_json json{
      {"name", l.name}, {"option", name(l.option)}, {"lowered", l.lowered()}, {"why_not", l.kernel.reason}};
  if (l.lowered()) {
    json["instruction"] = isa::ptx_name(*l.kernel.problem.instruction);
    json["stores"] = name(l.kernel.form);
    json["explicit_im2col"] = l.kernel.explicit_im2col;
    json["schedule"] = schedule_json(emu::plan_kernel(l.kernel.problem_of(1), l.schedule));
    json["schedule_note"] = l.schedule_note;
  }
  json["outputs"] = c.outputs;
  json["accumulators"] = c.accumulators;
  json["differing"] = c.differing;
  json["warp_instructions"] = c.instructions;
  json["macs"] = c.macs;
  json["cpu_seconds"] = c.cpu_seconds;
  json["model_us"] = l.latency.microseconds;
  if (l.simulated_us) json["simulated_us"] = *l.simulated_us;
  if (!l.simulated_note.empty()) json["not_simulated"] = l.simulated_note;
  return json;
}

}  // namespace

std::string kernel_check_text(const nas::DeployedNetwork& net, const KernelNetwork& kernels,
                              const KernelCheck& check, int images) {
  const std::size_t width = name_width(net.network);
  std::string out = fmt::format("{}: {} layers as kernels for batch {} on {}\n\n", net.network.name,
                                net.layers.size(), kernels.batch, kernels.machine);
  out +=
      fmt::format("{:<{}}  {:<8}  {:<12}  {:<15}  {:>9}  {:>9}  {:>10}  {:>6}  {:>8}  {}\n", "layer", width,
                  "option", "stores", "tile", "model us", "simulated", "words", "differ", "M mac/s", "notes");
  std::int64_t macs = 0;
  double seconds = 0;
  for (std::size_t i = 0; i < kernels.layers.size(); ++i) {
    const LoweredLayer& l = kernels.layers[i];
    const nas::LayerKernelCheck& c = check.layers[i];
    const double rate = c.cpu_seconds > 0 ? double(c.macs) / c.cpu_seconds / 1e6 : 0;
    macs += l.lowered() ? c.macs : 0;
    seconds += c.cpu_seconds;
    out += fmt::format("{:<{}}  {:<8}  {:<12}  {:<15}  {:>9.2f}  {:>9}  {:>10}  {:>6}  {:>8}  {}\n", l.name,
                       width, name(l.option), l.lowered() ? name(l.kernel.form) : "-",
                       l.lowered() ? tile_text(l) : "-", l.latency.microseconds, simulated_text(l),
                       c.outputs + c.accumulators, c.differing, rate > 0 ? fmt::format("{:.1f}", rate) : "-",
                       notes(l));
  }
  if (seconds > 0)
    out += fmt::format("\n{:.1f} M multiply-adds by kernels in {:.2f} s of processor time\n",
                       double(macs) / 1e6, seconds);
  return out + verdict_text(check.compared(), check.differing(), images);
}

nlohmann::ordered_json kernel_check_json(const nas::DeployedNetwork& net, const KernelNetwork& kernels,
                                         const KernelCheck& check, int images) {
  auto layers = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < kernels.layers.size(); ++i)
    layers.push_back(layer_json(kernels.layers[i], check.layers[i]));
  return {{"network", net.network.name},    {"route", "kernels"}, {"machine", kernels.machine},
          {"batch", kernels.batch},         {"images", images},   {"compared", check.compared()},
          {"differing", check.differing()}, {"layers", layers}};
}

std::string fast_check_text(const nas::DeployedNetwork& net, const nas::Comparison& c, int images) {
  std::string out;
  for (std::size_t i = 0; i < net.layers.size(); ++i)
    out += fmt::format("{:<{}}  {:<8}  {} differ\n", net.network.layers[i].name, name_width(net.network),
                       nas::name(net.layers[i].option), c.differing_per_layer[i]);
  return out + verdict_text(c.compared, c.differing, images);
}

nlohmann::ordered_json fast_check_json(const nas::DeployedNetwork& net, const nas::Comparison& c,
                                       int images) {
  auto layers = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < net.layers.size(); ++i)
    layers.push_back({{"name", net.network.layers[i].name},
                      {"option", nas::name(net.layers[i].option)},
                      {"differing", c.differing_per_layer[i]}});
  return {{"network", net.network.name}, {"route", "convolutions"},  {"images", images},
          {"compared", c.compared},      {"differing", c.differing}, {"layers", layers}};
}

std::string latency_check_text(const nas::LatencyCheck& c) {
  std::size_t width = 5;
  for (const auto& l : c.layers) width = std::max(width, l.name.size());
  std::string out = fmt::format("{}, batch {}, {}\n\n", c.network, c.batch, c.machine);
  out += fmt::format("{:<{}}  {:<8}  {:>9}  {:>10}  {:>8}  {}\n", "layer", width, "option", "alone us",
                     "network us", "extra us", "what differs, us");
  double extra = 0;
  for (const auto& l : c.layers) {
    extra += l.extra_us;
    out += fmt::format("{:<{}}  {:<8}  {:>9.2f}  {:>10.2f}  {:>8.2f}  {}\n", l.name, width,
                       nas::name(l.option), l.alone_us, l.network_us, l.extra_us, steps_text(l));
  }
  out += fmt::format("{:<{}}  {:<8}  {:>9.2f}  {:>10.2f}  {:>8.2f}\n\n", "sum", width, "", c.searched_us,
                     c.network_us - extra, extra);
  return out + fmt::format("whole network {:.2f} us ({:.3g} to {:.3g})\n{}\n", c.network_us, c.low_us,
                           c.high_us, c.verdict);
}

nlohmann::ordered_json latency_check_json(const nas::LatencyCheck& c) {
  auto layers = nlohmann::ordered_json::array();
  for (const auto& l : c.layers)
    layers.push_back({{"name", l.name},
                      {"option", nas::name(l.option)},
                      {"alone_us", l.alone_us},
                      {"network_us", l.network_us},
                      {"extra_us", l.extra_us},
                      {"steps", steps_json(l.steps)},
                      {"extras", steps_json(l.extras)},
                      {"note", l.note}});
  return {{"network", c.network},
          {"machine", c.machine},
          {"batch", c.batch},
          {"searched_us", c.searched_us},
          {"network_us", c.network_us},
          {"low_us", c.low_us},
          {"high_us", c.high_us},
          {"difference", c.difference()},
          {"verdict", c.verdict},
          {"totals", steps_json(c.totals)},
          {"layers", layers}};
}

}  // namespace twofour::cli
