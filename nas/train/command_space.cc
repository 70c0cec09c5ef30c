#include <fmt/format.h>
#include <gflags/gflags.h>

#include <nlohmann/json.hpp>

#include "twofour/cli/command.h"
#include "twofour/nas/graph/network_zoo.h"
#include "twofour/nas/space/space_file.h"
#include "twofour/nas/train/commands.h"
#include "twofour/nas/train/load_data.h"

DEFINE_string(kind, "msps", "msps or asps: the built-in space that is printed");
DECLARE_string(network);
DECLARE_string(data);
DECLARE_bool(json);

namespace twofour::nas {
namespace {

std::vector<std::string> values_of(const Decision& d) {
  std::vector<std::string> values;
  for (const Option o : d.options) values.emplace_back(name(o));
  for (const int s : d.sizes) values.push_back(fmt::to_string(s));
  return values;
}

std::vector<std::string> layers_of(const Space& space, const Decision& d) {
  std::vector<std::string> names;
  for (const int l : d.layers) names.push_back(space.backbone.layers[std::size_t(l)].name);
  return names;
}

void print_text(const Space& space) {
  fmt::print("{}: {} decisions for {}, {:.3g} networks\n", space.name, space.decisions.size(),
             space.backbone.name, candidate_count(space));
  for (const Decision& d : space.decisions)
    fmt::print("  {:<34} {:<46} {}\n", d.name, fmt::format("{}", fmt::join(values_of(d), " ")),
               d.layers.size() > 1 ? fmt::format("({})", fmt::join(layers_of(space, d), ", ")) : "");
}

void print_json(const Space& space) {
  nlohmann::ordered_json decisions = nlohmann::ordered_json::array();
  for (const Decision& d : space.decisions)
    decisions.push_back({{"name", d.name}, {"layers", layers_of(space, d)}, {"values", values_of(d)}});
  const nlohmann::ordered_json document{{"schema_version", 1},
                                        {"space", space.name},
                                        {"backbone", space.backbone.name},
                                        {"networks", candidate_count(space)},
                                        {"decisions", decisions}};
  fmt::print("{}\n", document.dump(2));
}

}  // namespace

int run_space_command(std::span<const std::string> positionals) {
  if (positionals.empty()) {
    fmt::print("{}", default_space_text(FLAGS_kind));
    return cli::exit_ok;
  }
  const LoadedData data = load_data(FLAGS_data);
  const Space space = read_space(positionals[0], network_by_name(FLAGS_network, data.train.height,
                                                                 data.train.channels, data.train.classes));
  FLAGS_json ? print_json(space) : print_text(space);
  return cli::exit_ok;
}

}  // namespace twofour::nas
