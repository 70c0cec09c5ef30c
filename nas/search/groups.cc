#include "twofour/nas/search/groups.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

std::vector<double> collect(const CostTable& table, double TableOption::*field) {
  check_table(table);
  std::vector<double> values;
  for (const TableLayer& layer : table.layers)
    for (const TableOption& option : layer.options) values.push_back(option.*field);
  return values;
}

/// Index of the option of that name, or -1.
int find_option(const TableLayer& layer, const std::string& name) {
  for (std::size_t i = 0; i < layer.options.size(); ++i)
    if (layer.options[i].name == name) return int(i);
  return -1;
}

std::vector<Group> tie_layers(const CostTable& table) {
  std::vector<Group> groups;
  std::map<std::string, std::size_t> by_tie;
  for (std::size_t i = 0; i < table.layers.size(); ++i) {
    const std::string& tie = table.layers[i].tie;
    const auto known = tie.empty() ? by_tie.end() : by_tie.find(tie);
    if (known != by_tie.end()) {
      groups[known->second].layers.push_back(int(i));
      continue;
    }
    if (!tie.empty()) by_tie.emplace(tie, groups.size());
    groups.emplace_back().layers = {int(i)};
  }
  return groups;
}

void find_common_options(const CostTable& table, Group& group) {
  for (const TableOption& option : table.layers[std::size_t(group.layers[0])].options) {
    std::vector<int> choice;
    for (const int layer : group.layers)
      choice.push_back(find_option(table.layers[std::size_t(layer)], option.name));
    if (std::ranges::count(choice, -1) == 0) group.options.push_back(std::move(choice));
  }
}

/// Keeps the items that no other item beats or equals in both latency and cost.
std::vector<Item> undominated(std::vector<Item> items) {
  std::ranges::sort(items, {}, [](const Item& i) { return std::tuple(i.latency, i.cost, i.option); });
  std::vector<Item> kept;
  for (const Item& item : items)
    if (kept.empty() || item.cost < kept.back().cost) kept.push_back(item);
  return kept;
}

Segment segment_between(int group, const Item& from, const Item& to) {
  Segment s{group, to.latency - from.latency, from.cost - to.cost};
  s.slope = static_cast<long double>(s.cost) / static_cast<long double>(s.latency);
  return s;
}

/// The lower convex hull of the items. Slopes fall strictly, as rounded, so that sorting by slope keeps a
/// group's order.
std::vector<Segment> hull(int group, const std::vector<Item>& items) {
  std::vector<Segment> segments;
  std::vector<Item> corners{items[0]};
  for (std::size_t i = 1; i < items.size(); ++i) {
    Segment s = segment_between(group, corners.back(), items[i]);
    while (!segments.empty() && segments.back().slope <= s.slope) {
      segments.pop_back();
      corners.pop_back();
      s = segment_between(group, corners.back(), items[i]);
    }
    segments.push_back(s);
    corners.push_back(items[i]);
  }
  return segments;
}

}  // namespace

Problem::Problem(const CostTable& table)
    : latency_grid(collect(table, &TableOption::latency_ms)), cost_grid(collect(table, &TableOption::cost)) {
  if (!latency_grid.exact())
    fail(
        "the latencies need more than 37 decimal digits to be summed exactly; round them to a common number "
        "of decimals");
  groups = tie_layers(table);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    Group& group = groups[g];
    find_common_options(table, group);
    for (std::size_t o = 0; o < group.options.size(); ++o) {
      Item item{0, 0, int(o)};
      for (std::size_t l = 0; l < group.layers.size(); ++l) {
        const TableLayer& layer = table.layers[std::size_t(group.layers[l])];
        const TableOption& option = layer.options[std::size_t(group.options[o][l])];
        item.latency += latency_grid.nearest(option.latency_ms);
        item.cost += cost_grid.nearest(option.cost);
      }
      group.items.push_back(item);
    }
    group.items = undominated(std::move(group.items));
    const Int128 fastest = group.items.front().latency, cheapest = group.items.back().cost;
    for (Item& item : group.items) {
      item.latency -= fastest;
      item.cost -= cheapest;
    }
    least_latency += fastest;
    least_cost += cheapest;
    latency_span += group.items.back().latency;
    cost_span += group.items.front().cost;
    std::ranges::move(hull(int(g), group.items), std::back_inserter(segments));
  }
  std::ranges::stable_sort(segments, [](const Segment& a, const Segment& b) { return a.slope > b.slope; });
}

}  // namespace twofour::nas
