#pragma once
#include "twofour/nas/search/search_engine.h"

namespace twofour::nas {

/// What each value of each decision adds to the loss of `reference` when it alone is changed: one measurement a
/// value. The reference's own values cost 0. `check` is called after each decision and may throw to stop.
DecisionCosts measure_costs(const Space& space, const Candidate& reference, Evaluator& evaluator,
                            const std::function<void()>& check);

}  // namespace twofour::nas
