#include <fmt/format.h>
#include <gflags/gflags.h>

#include "twofour/cli/commands.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/network_source.h"
#include "twofour/cli/output.h"
#include "twofour/isa/error.h"
#include "twofour/isa/file.h"
#include "twofour/nas/timing/table_formats.h"

DEFINE_string(options, "fp16,int8,int8-2:4,int4,int4-4:8,int1", "options to time, separated by commas");
DEFINE_string(costs, "",
              "CSV with the columns layer, option, cost and perhaps tie, for the costs of --format csv");

namespace twofour::cli {
namespace {

std::vector<nas::Option> options_from_flags() {
  std::vector<nas::Option> options;
  std::string_view text = FLAGS_options;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    options.push_back(nas::parse_option(part));
  }
  return options;
}

nlohmann::ordered_json shape_json(const nas::Node& n) {
  if (n.kind == nas::NodeKind::gemm) return {{"batch", n.batch}, {"m", n.m}, {"n", n.n}, {"k", n.k}};
  return {{"batch", n.batch},
          {"height", n.height},
          {"width", n.width},
          {"channels", n.channels},
          {"filters", n.filters},
          {"kernel", {n.kernel_h, n.kernel_w}},
          {"stride", {n.stride_h, n.stride_w}},
          {"padding", {n.pad_h, n.pad_w}},
          {"dilation", {n.dilation_h, n.dilation_w}},
          {"groups", n.groups}};
}

nlohmann::ordered_json option_json(const nas::OptionTime& time) {
  nlohmann::ordered_json out{{"option", nas::name(time.option)}};
  if (!time.illegal.empty()) {
    out["not_legal"] = time.illegal;
    return out;
  }
  out["latency_us"] = time.latency.microseconds;
  out["low_us"] = time.latency.low_us;
  out["high_us"] = time.latency.high_us;
  out["bound"] = name(time.latency.bound);
  out["fidelity"] = name(time.latency.fidelity);
  return out;
}

nlohmann::ordered_json table_json(const nas::LayerTable& table, const NetworkSource& source,
                                  const isa::Machine& machine) {
  auto layers = nlohmann::ordered_json::array();
  for (const nas::LayerTime& layer : table.layers) {
    const nas::Node& node = source.workload.nodes[static_cast<std::size_t>(layer.node)];
    auto options = nlohmann::ordered_json::array();
    for (const nas::OptionTime& time : layer.options) options.push_back(option_json(time));
    layers.push_back(
        {{"layer", layer.name}, {"op", node.op}, {"shape", shape_json(node)}, {"options", options}});
  }
  nlohmann::ordered_json other;
  for (std::size_t i = 0; i < table.other_us.size(); ++i)
    other[std::string(nas::name(table.layers.front().options[i].option))] = table.other_us[i];
  return {
      {"network", table.network}, {"batch", table.batch}, {"machine", machine.name},      {"launch", "graph"},
      {"layers", layers},         {"other_us", other},    {"not_counted", source.skipped}};
}

std::string table_bytes(const nas::LayerTable& table, const NetworkSource& source,
                        const isa::Machine& machine, const std::string& format) {
  if (format == "json") return json_document("time table", table_json(table, source, machine));
  if (format == "ofa-yaml") return nas::ofa_yaml(table, source.workload);
  if (format == "haq-npy") return nas::haq_npy(table);
  if (FLAGS_costs.empty()) return nas::search_csv(table, nullptr);
  const auto costs = nas::read_costs(FLAGS_costs);
  return nas::search_csv(table, &costs);
}

/// What the formats have no place for.
void narrate(const nas::LayerTable& table, const NetworkSource& source, const std::string& format) {
  fmt::print(stderr, "{} layers of {}, batch {}, each as a graph node; fidelity: ", table.layers.size(),
             table.network, table.batch);
  for (std::size_t i = 0; i < table.other_us.size(); ++i) {
    emu::TimingFidelity worst = emu::TimingFidelity::measured;
    for (const auto& layer : table.layers)
      if (layer.options[i].illegal.empty()) worst = std::max(worst, layer.options[i].latency.fidelity);
    fmt::print(stderr, "{}{} {}", i == 0 ? "" : ", ", nas::name(table.layers.front().options[i].option),
               name(worst));
  }
  fmt::print(stderr, "\n{}", skipped_text(source));
  if (format == "csv" && FLAGS_costs.empty())
    fmt::print(stderr, "every cost is 0: fill in the column, or give --costs, before a search\n");
}

std::string format_from_flags() {
  const std::string format = FLAGS_json ? "json" : FLAGS_format.empty() ? "csv" : FLAGS_format;
  if (format != "csv" && format != "json" && format != "ofa-yaml" && format != "haq-npy")
    fail("time table: --format is '{}'; it is csv, json, ofa-yaml or haq-npy", format);
  if (FLAGS_json && flag_given("format") && FLAGS_format != "json")
    fail("time table: --json and --format {} contradict each other", FLAGS_format);
  if (!FLAGS_costs.empty() && format != "csv") fail("time table: --costs is for --format csv");
  if (format == "haq-npy" && FLAGS_output.empty())
    fail("time table: haq-npy is binary; give --output FILE.npy");
  return format;
}

/// What a format can hold where --options is not given.
std::vector<nas::Option> options_of(const std::string& format) {
  if (flag_given("options") || format == "csv" || format == "json") return options_from_flags();
  if (format == "ofa-yaml") return {nas::Option::fp16};
  return {nas::Option::int8, nas::Option::int4, nas::Option::int1};
}

int run(std::span<const std::string> words) {
  const std::string format = format_from_flags();
  const auto machine = isa::load_machine(FLAGS_machine);
  const auto source = load_network("time table", words);
  const auto table = nas::layer_table(source.workload, options_of(format), machine);
  const std::string bytes = table_bytes(table, source, machine, format);
  narrate(table, source, format);
  if (FLAGS_output.empty())
    fmt::print("{}", bytes);
  else
    isa::write_file(FLAGS_output, bytes);
  return exit_ok;
}

}  // namespace

Command time_table_command() {
  return {
      "time table",
      "[NETWORK | --onnx FILE]",
      "write the predicted latency of every layer and option in the form that a search reads",
      "Layers are convolutions and products with weights, timed where they stand in a network of the "
      "option's type (L2,\n"
      "epilogue); what else a network takes is other_us in --format json. Formats:\n"
      "  csv       layer,option,cost,latency_ms,tie for `twofour search --table`; --costs fills in cost and "
      "tie, else 0\n"
      "  json      microseconds, shapes, what binds, fidelity, and why an option is not legal\n"
      "  ofa-yaml  Once-for-all's lookup table by shape, {count, mean in ms}; one option (default fp16)\n"
      "  haq-npy   HAQ's float64 array [layers][weight bits - 1][activation bits - 1] in ms; integer "
      "options (default int8,int4,int1)\n"
      "Examples: twofour time table resnet50 --batch 8 --output resnet50.csv\n"
      "          twofour time table --onnx model.onnx --batch 1 --format haq-npy --output table.npy\n"
      "Exit status: 0 done, 2 the input was refused.",
      {"batch", "options", "format", "costs", "machine", "sequence", "image", "onnx", "dim",
       "skip_unsupported", "output", "json"},
      0,
      1,
      run};
}

}  // namespace twofour::cli
