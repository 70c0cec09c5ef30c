#pragma once
#include <map>
#include <string>
#include <utility>

#include "twofour/nas/timing/layer_table.h"

namespace twofour::nas {

/// What a user adds to a table before a search: CSV with the columns layer, option, cost and perhaps tie.
struct LayerCost {
  double cost = 0;
  std::string tie;
};
using LayerCosts = std::map<std::pair<std::string, std::string>, LayerCost>;  ///< by layer and option
/// Throws Error with file:line:column.
LayerCosts read_costs(const std::string& path);

/// The table of `twofour search --table`: layer,option,cost,latency_ms,tie; illegal options are left out.
/// Without costs every cost is 0. Throws Error for an option that the costs lack.
std::string search_csv(const LayerTable& table, const LayerCosts* costs);

/// Layers by shape as the lookup tables of Once-for-all and ProxylessNAS are keyed, with the mean in
/// milliseconds over `count` layers of that shape:
///   Conv-input:56x56x64-output:56x56x64-kernel:3-stride:1: {count: 3, mean: 0.0123}
/// Sizes are height x width x channels of one item; -groups:G follows where there are groups. A fully
/// connected layer is Linear-input:ROWSxINPUTS-output:ROWSxFEATURES, rows of the whole batch. Only for tables
/// of one option that is legal for every layer.
std::string ofa_yaml(const LayerTable& table, const Workload& workload);

/// The lookup table of HAQ: a float64 .npy of layers x 8 x 8 milliseconds by weight bits - 1 and activation
/// bits - 1. A layer of w and a bits runs in the table's option of just these bit planes, if it has one; else
/// in the narrowest dense integer option of one width that holds the wider of both. Throws Error for other
/// options and for tables without int8.
std::string haq_npy(const LayerTable& table);

}  // namespace twofour::nas
