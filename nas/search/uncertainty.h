#pragma once
#include <optional>
#include <string>
#include <vector>

#include "twofour/nas/search/search_engine.h"

namespace twofour::nas {

/// What the exact search would choose if the latencies lay at one end of the model's band.
struct BandOutcome {
  BandEnd dense = BandEnd::expected, sparse = BandEnd::expected;  ///< ends of dense and of sparse options
  std::string name;                                               ///< "sparse low, dense high"
  /// The budget there: scaled as the latency of the uniform sparse int8 network (int8 where that is illegal),
  /// since a budget is given against a network, and a factor that all latencies share changes no choice.
  double budget_us = 0;
  std::optional<FoundNetwork> optimum;  ///< none: no network meets that budget
  double choice_us = 0;                 ///< of the candidate in question
  bool choice_meets = false;            ///< that budget
  int differing = 0;                    ///< decisions in which the optimum is another
  /// Cost of the candidate less the optimum's; only where it meets the budget. Not negative up to the exact
  /// search's gap.
  std::optional<double> regret;
};

/// Whether a choice made with expected latencies is still good when they are off: at all latencies low, all
/// high, and at the adverse ends, sparse options low with dense ones high and the reverse. Throws Error as
/// the exact search, except for budgets that cannot be met at an end.
std::vector<BandOutcome> survives_band(const Space& space, const SpaceLatency& latency,
                                       const DecisionCosts& costs, double budget_us,
                                       const Candidate& candidate);

}  // namespace twofour::nas
