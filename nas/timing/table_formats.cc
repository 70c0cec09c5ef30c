#include "twofour/nas/timing/table_formats.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "twofour/isa/csv.h"
#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

/// Milliseconds with a tenth of a nanosecond: decimals that a search adds up exactly.
std::string milliseconds(const emu::Latency& latency) {
  return fmt::format("{:.7f}", latency.microseconds / 1000);
}

std::string quoted(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == field.npos) return field;
  std::string out = "\"";
  for (const char c : field) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

std::string square(std::int64_t height, std::int64_t width) {
  return height == width ? fmt::format("{}", height) : fmt::format("{}x{}", height, width);
}

std::string shape_key(const Node& n) {
  if (n.kind == NodeKind::gemm)
    return fmt::format("Linear-input:{0}x{1}-output:{0}x{2}", n.batch * n.m, n.k, n.n);
  return fmt::format("Conv-input:{}x{}x{}-output:{}x{}x{}-kernel:{}-stride:{}{}", n.height, n.width,
                     n.channels, output_height(n), output_width(n), n.filters, square(n.kernel_h, n.kernel_w),
                     square(n.stride_h, n.stride_w), n.groups > 1 ? fmt::format("-groups:{}", n.groups) : "");
}

/// Options of a table by weight and activation bits.
using IntegerOptions = std::map<std::pair<int, int>, std::size_t>;

IntegerOptions integer_options(const LayerTable& table) {
  IntegerOptions out;
  for (std::size_t i = 0; i < table.layers.front().options.size(); ++i) {
    const OptionInfo& option = info(table.layers.front().options[i].option);
    if (option.sparse || isa::is_float(option.weight))
      fail("HAQ's table has integer widths only; leave out option {}", option.name);
    const std::pair widths{option.weight_bits, option.activation_bits};
    if (is_bit_serial(option.option))
      out.emplace(widths, i);
    else
      out.insert_or_assign(widths, i);  // a native type goes before its bit planes
  }
  if (!out.contains({8, 8})) fail("HAQ's table goes up to 8 bits; give option int8 too");
  return out;
}

std::size_t option_for(const IntegerOptions& options, int weight_bits, int activation_bits) {
  if (const auto exact = options.find({weight_bits, activation_bits}); exact != options.end())
    return exact->second;
  int width = std::max(weight_bits, activation_bits);
  while (!options.contains({width, width})) ++width;
  return options.at({width, width});
}

std::string npy_header(std::size_t layers) {
  std::string text = fmt::format("{{'descr': '<f8', 'fortran_order': False, 'shape': ({}, 8, 8), }}", layers);
  text.resize((10 + text.size() + 1 + 63) / 64 * 64 - 10 - 1, ' ');  // the data begins at a multiple of 64
  text += '\n';
  return std::string("\x93NUMPY\x01\x00", 8) + char(text.size() & 255) + char(text.size() >> 8) + text;
}

void append(std::string& bytes, double value) {
  static_assert(std::endian::native == std::endian::little);
  char word[sizeof value];
  std::memcpy(word, &value, sizeof value);
  bytes.append(word, sizeof word);
}

}  // namespace

LayerCosts read_costs(const std::string& path) {
  const auto csv = isa::CsvTable::read(path);
  LayerCosts costs;
  for (const auto& row : csv.rows()) {
    const auto& option = csv.field(row, "option");
    const double cost = csv.number(row, "cost");
    const std::string tie = csv.has("tie") ? csv.field(row, "tie").text : "";
    if (!std::isfinite(cost)) csv.refuse(row, csv.field(row, "cost"), "a cost must be finite");
    if (!costs.emplace(std::pair(csv.field(row, "layer").text, option.text), LayerCost{cost, tie}).second)
      csv.refuse(row, option, "this layer and option appear twice; remove one");
  }
  return costs;
}

std::string search_csv(const LayerTable& table, const LayerCosts* costs) {
  std::string out = "layer,option,cost,latency_ms,tie\n";
  for (const LayerTime& layer : table.layers)
    for (const OptionTime& time : layer.options) {
      if (!time.illegal.empty()) continue;
      LayerCost cost;
      if (costs != nullptr) {
        const auto at = costs->find({layer.name, std::string(name(time.option))});
        if (at == costs->end())
          fail("the costs lack option {} of layer '{}'; add a line, or leave the option out",
               name(time.option), layer.name);
        cost = at->second;
      }
      out += fmt::format("{},{},{},{},{}\n", quoted(layer.name), name(time.option), cost.cost,
                         milliseconds(time.latency), quoted(cost.tie));
    }
  return out;
}

std::string ofa_yaml(const LayerTable& table, const Workload& workload) {
  struct Entry {
    int count = 0;
    double sum_us = 0;
  };
  std::vector<std::string> keys;  // in the order of the network
  std::map<std::string, Entry> entries;
  for (const LayerTime& layer : table.layers) {
    if (layer.options.size() != 1)
      fail("a lookup table of Once-for-all holds one latency a layer; give one option");
    if (!layer.options[0].illegal.empty())
      fail("layer '{}' has no kernel in option {} ({}); use a dense option", layer.name,
           name(layer.options[0].option), layer.options[0].illegal);
    const std::string key = shape_key(workload.nodes[static_cast<std::size_t>(layer.node)]);
    const auto [entry, added] = entries.try_emplace(key);
    if (added) keys.push_back(key);
    ++entry->second.count;
    entry->second.sum_us += layer.options[0].latency.microseconds;
  }
  std::string out;
  for (const std::string& key : keys)
    out += fmt::format("{}: {{count: {}, mean: {:.7f}}}\n", key, entries[key].count,
                       entries[key].sum_us / entries[key].count / 1000);
  return out;
}

std::string haq_npy(const LayerTable& table) {
  const auto options = integer_options(table);
  std::string bytes = npy_header(table.layers.size());
  for (const LayerTime& layer : table.layers)
    for (int weight_bits = 1; weight_bits <= 8; ++weight_bits)
      for (int activation_bits = 1; activation_bits <= 8; ++activation_bits) {
        const std::size_t option = option_for(options, weight_bits, activation_bits);
        append(bytes, layer.options[option].latency.microseconds / 1000);
      }
  return bytes;
}

}  // namespace twofour::nas
