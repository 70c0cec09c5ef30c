#pragma once
#include <cstdint>
#include <vector>

namespace twofour::nas {

/// A part of the latency that depends on some decisions: one layer's.
struct LatencyFactor {
  std::vector<int> decisions;       ///< each once
  std::vector<std::int64_t> units;  ///< by their values, the first decision's fastest; not negative
};

/// Take one value for each decision: cost is a sum over decisions, latency a sum over factors, both in whole
/// units, so that sums are exact. The most that either can add up to must stay below 2^50.
struct FactorProblem {
  std::vector<std::vector<std::int64_t>> cost;  ///< by decision and value, not negative
  std::vector<LatencyFactor> latency;

  int decisions() const { return int(cost.size()); }
  int count(int decision) const { return int(cost[std::size_t(decision)].size()); }
};

/// One value for each decision, and what they sum up to.
struct FactorChoice {
  std::vector<int> value;
  std::int64_t cost = 0, latency = 0;
};

/// Sums of a choice. Its cost and latency are set.
FactorChoice evaluate(const FactorProblem& problem, std::vector<int> value);

}  // namespace twofour::nas
