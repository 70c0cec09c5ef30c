#pragma once
#include <vector>

#include "twofour/nas/search/decimal_grid.h"
#include "twofour/nas/search/solver.h"

namespace twofour::nas {

/// One thing that a group may take. Costs are above the group's least cost, latencies above its least
/// latency.
struct Item {
  Int128 latency = 0, cost = 0;
  int option = 0;  ///< index among the options that the group's layers have in common
};

/// Layers that choose together: a tie, or one layer.
struct Group {
  std::vector<int> layers;
  std::vector<std::vector<int>>
      options;  ///< by common option, then by layer of the group: index into the layer's options
  /// Undominated items: latency rises, cost falls. The first is the fastest, the last the cheapest.
  std::vector<Item> items;
};

/// A stretch of a group's lower convex hull, from one item to the next on it.
struct Segment {
  int group = 0;
  Int128 latency = 0;     ///< more latency, positive
  Int128 cost = 0;        ///< cost saved, positive
  long double slope = 0;  ///< cost saved per latency
};

/// The search problem in exact integers.
struct Problem {
  explicit Problem(const CostTable& table);

  DecimalGrid latency_grid, cost_grid;
  std::vector<Group> groups;
  std::vector<Segment>
      segments;  ///< of all groups, steepest first: the linear relaxation takes them in this order
  Int128 least_latency = 0, least_cost = 0;  ///< sums over the groups
  Int128 latency_span = 0, cost_span = 0;    ///< sums over the groups of last item - first item
};

}  // namespace twofour::nas
