#include "twofour/nas/search/costs.h"

namespace twofour::nas {

DecisionCosts measure_costs(const Space& space, const Candidate& reference, Evaluator& evaluator,
                            const std::function<void()>& check) {
  const double base = evaluator.measure({reference})[0].loss;
  DecisionCosts costs;
  for (std::size_t d = 0; d < space.decisions.size(); ++d) {
    std::vector<Candidate> candidates;
    for (int value = 0; value < space.decisions[d].count(); ++value) {
      candidates.push_back(reference);
      candidates.back()[d] = value;
    }
    costs.emplace_back();
    for (const Measurement& m : evaluator.measure(candidates)) costs.back().push_back(m.loss - base);
    check();
  }
  return costs;
}

}  // namespace twofour::nas
