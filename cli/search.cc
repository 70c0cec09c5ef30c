#include <fmt/format.h>
#include <gflags/gflags.h>

#include <algorithm>
#include <filesystem>

#include "twofour/cli/commands.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/output.h"
#include "twofour/isa/error.h"
#include "twofour/isa/file.h"
#include "twofour/nas/search/solver.h"

DEFINE_string(
    table, "",
    "search table: CSV with the columns layer, option, cost, latency_ms and, if layers are tied, tie");
DEFINE_double(budget_ms, 0, "the most latency that all layers together may take, in ms");

namespace twofour::cli {
namespace {

/// Says how to search without a table: training needs the other program.
[[noreturn]] void refuse_without_table() {
  std::error_code no_path;
  const auto trainer = std::filesystem::read_symlink("/proc/self/exe", no_path).parent_path() / "twofour-nas";
  if (!no_path && std::filesystem::exists(trainer, no_path))
    fail("search: give --table FILE.csv. To train a network and search it, run: {} demo", trainer.string());
  fail(
      "search: give --table FILE.csv. Training a network and searching it is the work of twofour-nas, which "
      "is not built here: "
      "install libtorch (Debian: libtorch-dev), configure with TWOFOUR_TRAIN=ON and build again");
}

std::string to_text(const nas::CostTable& table, const nas::Solution& solution) {
  std::string out = fmt::format("cost {:.9g}, latency {} ms of a budget of {} ms, {} layers\n", solution.cost,
                                solution.latency_ms, FLAGS_budget_ms, table.layers.size());
  std::size_t layer_width = 5, option_width = 6;
  for (const nas::TableLayer& layer : table.layers) {
    layer_width = std::max(layer_width, layer.name.size());
    for (const nas::TableOption& option : layer.options)
      option_width = std::max(option_width, option.name.size());
  }
  out += fmt::format("  {:<{}}  {:<{}}  {:>12}  {:>12}\n", "layer", layer_width, "option", option_width,
                     "cost", "latency_ms");
  for (std::size_t i = 0; i < table.layers.size(); ++i) {
    const nas::TableOption& o = table.layers[i].options[std::size_t(solution.choice[i])];
    out += fmt::format("  {:<{}}  {:<{}}  {:>12.6g}  {:>12.6g}\n", table.layers[i].name, layer_width, o.name,
                       option_width, o.cost, o.latency_ms);
  }
  return out;
}

std::string to_json(const nas::CostTable& table, const nas::Solution& solution) {
  nlohmann::ordered_json choices = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < table.layers.size(); ++i) {
    const nas::TableOption& o = table.layers[i].options[std::size_t(solution.choice[i])];
    choices.push_back({{"layer", table.layers[i].name},
                       {"option", o.name},
                       {"cost", o.cost},
                       {"latency_ms", o.latency_ms}});
  }
  return json_document("search", {{"table", FLAGS_table},
                                  {"cost", solution.cost},
                                  {"latency_ms", solution.latency_ms},
                                  {"budget_ms", FLAGS_budget_ms},
                                  {"choices", choices}});
}

int run(std::span<const std::string>) {
  if (FLAGS_table.empty()) refuse_without_table();
  const nas::CostTable table = nas::read_table(FLAGS_table);
  if (gflags::GetCommandLineFlagInfoOrDie("budget_ms").is_default) {
    const nas::LatencyRange range = nas::latency_range(table);
    fail(
        "search: give --budget-ms; this table's choices take from {} ms (the least) to {} ms (every layer at "
        "its least cost)",
        range.least_ms, range.free_ms);
  }
  const nas::Solution solution = nas::solve(table, FLAGS_budget_ms);
  const std::string text = FLAGS_json ? to_json(table, solution) : to_text(table, solution);
  if (FLAGS_output.empty())
    fmt::print("{}", text);
  else
    isa::write_file(FLAGS_output, text);
  return exit_ok;
}

}  // namespace

Command search_command() {
  return {"search",
          "",
          "choose each layer's matrix type and precision under a latency budget, exactly",
          "Takes one option in every layer so that the costs add up to the least and the latencies stay "
          "within the budget. Layers\n"
          "with the same tie take the same option. The answer is the optimum, not an approximation; decimal "
          "numbers are added\n"
          "exactly.\n"
          "Example: twofour search --table data/networks/hawqv3_resnet50_table.csv --budget-ms 10.814006\n"
          "To train a network, measure its sensitivities and search it: twofour-nas demo.\n"
          "Exit status: 0 done, 2 the input was refused, or no choice meets the budget.",
          {"table", "budget_ms", "json", "output"},
          0,
          0,
          run};
}

}  // namespace twofour::cli
