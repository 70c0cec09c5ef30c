#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace twofour::nas {

/// What one option of a layer costs: the loss it is expected to add (any unit, may be negative) and its
/// latency.
struct TableOption {
  std::string name;
  double cost = 0;
  double latency_ms = 0;  ///< not negative
};

/// One layer and what it may choose from. Layers with the same tie that is not empty take the option of the
/// same name.
struct TableLayer {
  std::string name;
  std::string tie;
  std::vector<TableOption> options;
};

/// The search problem: take one option in each layer.
struct CostTable {
  std::vector<TableLayer> layers;
};

/// Throws Error for an empty table, a repeated layer or option, numbers that are not finite, a negative
/// latency, or a tie whose layers have no option in common.
void check_table(const CostTable& table);

/// Reads CSV with a header line: columns layer, option, cost, latency_ms and optionally tie, in any order;
/// other columns are refused. Fields may be quoted ("" is a quote); lines end with LF or CRLF; empty lines
/// are skipped. Layers and options keep the order in which they first appear. Throws Error naming file, line
/// and field.
CostTable read_table(const std::string& path);
/// The same for text in memory; `file` is the name that errors show.
CostTable parse_table(std::string_view text, const std::string& file);

/// One choice for every layer.
struct Solution {
  double cost = 0;  ///< the exact sum, rounded once
  double latency_ms =
      0;  ///< the exact sum, rounded up where it is no double: a budget of this latency admits this choice
  std::vector<int> choice;  ///< by layer: index into its options
};

/// The choice of least cost whose latency does not exceed the budget (multiple-choice knapsack with ties).
/// Exact: every latency, cost and budget stands for the shortest decimal number that reads back as the same
/// double (what a person writes: 0.1, not 0.1000000000000000055), and sums are compared as exact integers of
/// 128 bits, with no tolerance. Costs that would need digits below 10^-36 of the largest possible sum are
/// rounded there; such latencies are refused. Equal costs: the least latency; equal in both: always the same
/// choice for the same table. Milliseconds for 200 layers of measured latencies. Tables built to be hard
/// (cost = constant - latency, many digits) can need more than the four million partial choices that are
/// allowed: Error. Throws Error as check_table does, and for a budget that cannot be met; that message says
/// the least latency that can.
Solution solve(const CostTable& table, double budget_ms);

/// Where the budget matters: below `least_ms` nothing fits, at `free_ms` and above every layer takes its
/// option of least cost.
struct LatencyRange {
  double least_ms = 0, free_ms = 0;
};
LatencyRange latency_range(const CostTable& table);

/// solve() for each budget, in the order given.
std::vector<Solution> pareto_curve(const CostTable& table, const std::vector<double>& budgets_ms);
/// The curve at `points` (at least 2) budgets spread evenly over latency_range, without repeated solutions.
std::vector<Solution> pareto_curve(const CostTable& table, int points);

}  // namespace twofour::nas
