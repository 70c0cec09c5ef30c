#pragma once
#include <limits>
#include <optional>

#include "twofour/nas/search/elimination.h"
#include "twofour/nas/search/weighted_sum.h"

namespace twofour::nas {

/// What a pass is given: the bounds that drop partial choices.
struct PassBounds {
  std::int64_t budget = 0;
  std::int64_t cost = 0;                 ///< of the best choice known
  std::vector<const WeightedSum*> sums;  ///< find_outside() has run
};

struct PassResult {
  std::optional<std::vector<int>>
      choice;  ///< the cheapest within the budget, if it is not above PassBounds::cost
  /// Every choice that a full set left out costs at least so much; infinite: none was left out.
  long double dropped = std::numeric_limits<long double>::infinity();
  bool within_limits = true;  ///< else it was broken off and nothing else counts
};

/// One elimination with at most `width` partial choices a row.
PassResult run_pass(const FactorProblem& problem, const BucketTree& tree, const PassBounds& bounds,
                    std::size_t width, const EliminationLimits& limits);

}  // namespace twofour::nas
