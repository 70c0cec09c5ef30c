#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "twofour/isa/csv.h"
#include "twofour/isa/error.h"
#include "twofour/isa/file.h"
#include "twofour/nas/search/solver.h"

namespace twofour::nas {
namespace {

using isa::CsvTable;

constexpr std::array<std::string_view, 4> needed{"layer", "option", "cost", "latency_ms"};

void check_header(const CsvTable& csv) {
  for (const auto& field : csv.header().fields)
    if (field.text != "tie" && std::find(needed.begin(), needed.end(), field.text) == needed.end())
      csv.refuse(csv.header(), field,
                 fmt::format("unknown column '{}'; remove it (known: {}, tie)", field.text,
                             fmt::join(needed, ", ")));
  for (const auto column : needed)
    if (!csv.has(column))
      fail("{}:{}:1: column '{}' is missing; the first line must name {} (and tie if wanted)", csv.file(),
           csv.header().line, column, fmt::join(needed, ", "));
}

/// The text of a field that must not be empty.
const CsvTable::Field& named(const CsvTable& csv, const CsvTable::Row& row, std::string_view column) {
  const auto& field = csv.field(row, column);
  if (field.text.empty()) csv.refuse(row, field, fmt::format("{} is empty; name it", column));
  return field;
}

/// Gathers rows into layers.
class TableBuilder {
 public:
  void add(const CsvTable& csv, const CsvTable::Row& row) {
    const auto &name = named(csv, row, "layer"), &option = named(csv, row, "option");
    const double cost = csv.number(row, "cost"), latency_ms = csv.number(row, "latency_ms");
    if (latency_ms < 0)
      csv.refuse(row, csv.field(row, "latency_ms"),
                 fmt::format("latency_ms is {}; a latency is at least 0", latency_ms));
    if (!seen_.emplace(name.text, option.text).second)
      csv.refuse(row, option,
                 fmt::format("option '{}' of layer '{}' appears twice; remove one", option.text, name.text));
    layer(csv, row, name.text).options.push_back({option.text, cost, latency_ms});
  }

  CostTable take() { return std::move(table_); }

 private:
  TableLayer& layer(const CsvTable& csv, const CsvTable::Row& row, const std::string& name) {
    const std::string tie = csv.has("tie") ? csv.field(row, "tie").text : "";
    const auto [it, is_new] = index_.emplace(name, table_.layers.size());
    if (is_new) table_.layers.push_back({name, tie, {}});
    TableLayer& l = table_.layers[it->second];
    if (l.tie != tie)
      csv.refuse(
          row, csv.field(row, "tie"),
          fmt::format("tie is '{}', but an earlier line of layer '{}' says '{}'; give all its lines the same",
                      tie, name, l.tie));
    return l;
  }

  CostTable table_;
  std::map<std::string, std::size_t> index_;
  std::set<std::pair<std::string, std::string>> seen_;
};

void check_layer(const TableLayer& layer) {
  if (layer.options.empty()) fail("layer '{}' has no options; give it at least one", layer.name);
  std::set<std::string_view> names;
  for (const TableOption& o : layer.options) {
    if (!names.insert(o.name).second)
      fail("layer '{}': option '{}' appears twice; remove one", layer.name, o.name);
    if (!std::isfinite(o.cost))
      fail("layer '{}', option '{}': cost {} is not finite", layer.name, o.name, o.cost);
    if (!std::isfinite(o.latency_ms) || o.latency_ms < 0)
      fail("layer '{}', option '{}': latency {} ms; it must be finite and at least 0", layer.name, o.name,
           o.latency_ms);
  }
}

void check_ties(const CostTable& table) {
  std::map<std::string, std::set<std::string>> common;
  for (const TableLayer& layer : table.layers) {
    if (layer.tie.empty()) continue;
    std::set<std::string> names;
    for (const TableOption& o : layer.options) names.insert(o.name);
    const auto [it, is_new] = common.emplace(layer.tie, names);
    if (!is_new) std::erase_if(it->second, [&](const std::string& n) { return !names.contains(n); });
    if (it->second.empty())
      fail(
          "tie '{}': layer '{}' shares no option with the layers before it; give them one in common or untie "
          "them",
          layer.tie, layer.name);
  }
}

}  // namespace

void check_table(const CostTable& table) {
  if (table.layers.empty()) fail("the search table has no layers; give it at least one");
  std::set<std::string_view> names;
  for (const TableLayer& layer : table.layers) {
    if (!names.insert(layer.name).second) fail("layer '{}' appears twice; remove one", layer.name);
    check_layer(layer);
  }
  check_ties(table);
}

CostTable parse_table(std::string_view text, const std::string& file) {
  const auto csv = CsvTable::parse(file, text);
  check_header(csv);
  TableBuilder builder;
  for (const auto& row : csv.rows()) builder.add(csv, row);
  CostTable table = builder.take();
  try {
    check_table(table);
  } catch (const Error& e) {
    fail("{}: {}", file, e.what());
  }
  return table;
}

CostTable read_table(const std::string& path) {
  return parse_table(isa::read_file(path), path);
}

}  // namespace twofour::nas
