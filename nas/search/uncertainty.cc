#include "twofour/nas/search/uncertainty.h"

#include <array>

#include "twofour/isa/error.h"
#include "twofour/nas/search/space_problem.h"

namespace twofour::nas {
namespace {

struct Ends {
  BandEnd dense, sparse;
  const char* name;
};
constexpr std::array ends{Ends{BandEnd::low, BandEnd::low, "all low"},
                          Ends{BandEnd::high, BandEnd::high, "all high"},
                          Ends{BandEnd::high, BandEnd::low, "sparse low, dense high"},
                          Ends{BandEnd::low, BandEnd::high, "sparse high, dense low"}};

int differences(const Candidate& a, const Candidate& b) {
  int count = 0;
  for (std::size_t d = 0; d < a.size(); ++d) count += a[d] != b[d];
  return count;
}

}  // namespace

std::vector<BandOutcome> survives_band(const Space& space, const SpaceLatency& latency,
                                       const DecisionCosts& costs, double budget_us,
                                       const Candidate& candidate) {
  check_candidate(space, candidate);
  const Candidate uniform = uniform_candidate(space, Option::int8_sparse, Option::int8);
  std::vector<BandOutcome> outcomes;
  for (const Ends& end : ends) {
    const SpaceLatency there(latency, end.dense, end.sparse);
    BandOutcome o;
    o.dense = end.dense;
    o.sparse = end.sparse;
    o.name = end.name;
    o.budget_us = budget_us * there.us(uniform) / latency.us(uniform);
    o.choice_us = there.us(candidate);
    o.choice_meets = o.choice_us <= o.budget_us;
    const FactorProblem latencies = space_problem(space, there).factors;
    if (least_latency(latencies) <= budget_units(o.budget_us)) {
      Candidate best = exact_choice(space, there, costs, o.budget_us).candidate;
      o.differing = differences(best, candidate);
      const double cost = predicted_cost(costs, best), us = there.us(best);
      if (o.choice_meets) o.regret = predicted_cost(costs, candidate) - cost;
      o.optimum = FoundNetwork{std::move(best), us, cost, std::nullopt};
    }
    outcomes.push_back(std::move(o));
  }
  return outcomes;
}

}  // namespace twofour::nas
