#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "twofour/isa/error.h"
#include "twofour/isa/file.h"
#include "twofour/nas/search/solver.h"

namespace twofour::nas {
namespace {

/// The fields of one CSV line. `where` is "file:line" for errors.
std::vector<std::string> split_fields(std::string_view line, const std::string& where) {
  std::vector<std::string> fields(1);
  for (std::size_t i = 0; i < line.size(); ++i) {
    std::string& field = fields.back();
    if (line[i] == ',') {
      fields.emplace_back();
    } else if (line[i] != '"') {
      field += line[i];
    } else {
      if (!field.empty()) fail("{}: a quote in the middle of a field; quote the whole field", where);
      for (++i; i < line.size() && (line[i] != '"' || (i + 1 < line.size() && line[i + 1] == '"')); ++i) {
        i += line[i] == '"';
        field += line[i];
      }
      if (i == line.size()) fail("{}: a quoted field has no closing quote on its line", where);
      if (i + 1 < line.size() && line[i + 1] != ',')
        fail("{}: text after a closing quote; put a comma there", where);
    }
  }
  return fields;
}

/// Columns of the header line, as indices into the fields.
struct Columns {
  std::size_t layer = 0, option = 0, cost = 0, latency_ms = 0;
  std::optional<std::size_t> tie;
  std::size_t count = 0;
};

Columns read_header(const std::vector<std::string>& names, const std::string& where) {
  std::map<std::string, std::size_t> found;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string& name = names[i];
    if (name != "layer" && name != "option" && name != "cost" && name != "latency_ms" && name != "tie")
      fail("{}: unknown column '{}'; remove it (known: layer, option, cost, latency_ms, tie)", where, name);
    if (!found.emplace(name, i).second) fail("{}: column '{}' appears twice; remove one", where, name);
  }
  for (const char* needed : {"layer", "option", "cost", "latency_ms"})
    if (!found.contains(needed))
      fail(
          "{}: column '{}' is missing; the first line must name layer, option, cost, latency_ms (and tie if "
          "wanted)",
          where, needed);
  Columns c{found["layer"], found["option"], found["cost"], found["latency_ms"], std::nullopt, names.size()};
  if (found.contains("tie")) c.tie = found["tie"];
  return c;
}

double read_number(const std::string& text, const std::string& where, std::string_view field) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || !std::isfinite(value))
    fail("{}: {}: '{}' is not a finite number; write one such as 0.125", where, field, text);
  return value;
}

/// Gathers rows into layers.
class TableBuilder {
 public:
  void add(const std::vector<std::string>& fields, const Columns& columns, const std::string& where) {
    if (fields.size() != columns.count)
      fail("{}: {} fields, but the header names {} columns", where, fields.size(), columns.count);
    const std::string& name = fields[columns.layer];
    if (name.empty()) fail("{}: layer: is empty; name the layer", where);
    TableOption option{fields[columns.option], read_number(fields[columns.cost], where, "cost"),
                       read_number(fields[columns.latency_ms], where, "latency_ms")};
    if (option.name.empty()) fail("{}: option: is empty; name the option", where);
    if (option.latency_ms < 0)
      fail("{}: latency_ms: {} is negative; a latency is at least 0", where, option.latency_ms);
    if (!seen_.emplace(name, option.name).second)
      fail("{}: option: '{}' of layer '{}' appears twice; remove one", where, option.name, name);
    layer(name, columns.tie ? fields[*columns.tie] : "", where).options.push_back(std::move(option));
  }

  CostTable take() { return std::move(table_); }

 private:
  TableLayer& layer(const std::string& name, const std::string& tie, const std::string& where) {
    const auto [it, is_new] = index_.emplace(name, table_.layers.size());
    if (is_new) table_.layers.push_back({name, tie, {}});
    TableLayer& l = table_.layers[it->second];
    if (l.tie != tie)
      fail("{}: tie: '{}', but an earlier line of layer '{}' says '{}'; give all its lines the same", where,
           tie, name, l.tie);
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
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  std::optional<Columns> columns;
  TableBuilder builder;
  for (int number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    const std::string where = fmt::format("{}:{}", file, number);
    const std::vector<std::string> fields = split_fields(line, where);
    if (columns)
      builder.add(fields, *columns, where);
    else
      columns = read_header(fields, where);
  }
  if (!columns) fail("{}: is empty; the first line must name layer, option, cost, latency_ms", file);
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
