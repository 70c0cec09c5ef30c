#pragma once
#include <cstdint>
#include <functional>

#include "twofour/nas/search/factors.h"

namespace twofour::nas {

/// The least latency that a choice can have.
std::int64_t least_latency(const FactorProblem& problem);
/// A choice of that latency, the cheapest of them.
FactorChoice fastest_choice(const FactorProblem& problem);

struct EliminationLimits {
  std::int64_t states = std::int64_t(1) << 23;  ///< partial choices held at once, of about 32 bytes
  std::int64_t sums = std::int64_t(1) << 29;    ///< pairs of partial choices that a pass adds up
  std::function<bool()> stop;                   ///< may be empty; true: end with the best so far
};

struct EliminationResult {
  FactorChoice best;
  std::int64_t lower_bound = 0;  ///< no choice within the budget costs less; best.cost: proven optimal
  bool stopped = false;
};

/// The choice of least cost whose latency does not exceed the budget; of equal costs that of least latency.
/// Exact while the limits allow; else the best that was found, with a lower bound of the cost. Deterministic.
/// Throws Error for a budget below least_latency().
///
/// Decisions are eliminated (bucket_tree.h); a message holds, by row, the partial choices that no other beats
/// in latency and cost. Those are dropped whose Lagrangian bound (weighted_sum.h), at the multiplier of the
/// best bound and some around it, lies above the best choice known, or that no completion brings within the
/// budget. Short passes, which keep only the most promising partial choices, find good choices first; the
/// first pass that never had to leave one out is exact.
EliminationResult solve(const FactorProblem& problem, std::int64_t budget,
                        const EliminationLimits& limits = {});

}  // namespace twofour::nas
