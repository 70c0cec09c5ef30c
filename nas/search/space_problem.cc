#include "twofour/nas/search/space_problem.h"

#include <algorithm>
#include <cmath>

#include "twofour/isa/error.h"
#include "twofour/nas/search/solver.h"

namespace twofour::nas {
namespace {

constexpr double limit = 0x1p50;  ///< of sums, see FactorProblem

void check_costs(const Space& space, const DecisionCosts& costs) {
  if (costs.size() != space.decisions.size())
    fail("costs of {} decisions for the {} of {}; give one list a decision", costs.size(),
         space.decisions.size(), space.name);
  for (std::size_t d = 0; d < costs.size(); ++d) {
    const Decision& decision = space.decisions[d];
    if (int(costs[d].size()) != decision.count())
      fail("decision '{}' has {} values and {} costs; give one each", decision.name, decision.count(),
           costs[d].size());
    for (const double c : costs[d])
      if (!std::isfinite(c)) fail("decision '{}': a cost is {}; costs are finite", decision.name, c);
  }
}

/// The largest exponent with which all spans together stay below the limit.
int exponent_for(const DecisionCosts& costs) {
  double span = 0;
  for (const auto& list : costs) span += *std::ranges::max_element(list) - *std::ranges::min_element(list);
  // Rounding adds at most half a unit a decision; 2^49 leaves room for it.
  return span > 0 ? 48 - std::ilogb(span) : 0;
}

bool options_alone(const Space& space) {
  return std::ranges::all_of(space.decisions,
                             [](const Decision& d) { return d.kind == DecisionKind::option; });
}

/// Layers that an option decision ties are one row, so that all latencies are whole units.
CostTable cost_table(const Space& space, const SpaceLatency& latency, const DecisionCosts& costs) {
  CostTable table;
  for (std::size_t d = 0; d < space.decisions.size(); ++d) {
    TableLayer row{fmt::format("{}", d), "", {}};
    for (std::size_t v = 0; v < costs[d].size(); ++v) {
      std::int64_t units = 0;
      for (const int l : space.decisions[d].layers) units += latency.forms(l).units[v];
      row.options.push_back({fmt::format("{}", v), costs[d][v], double(units)});
    }
    table.layers.push_back(std::move(row));
  }
  return table;
}

}  // namespace

double SpaceProblem::cost(std::int64_t units) const {
  return std::ldexp(double(units), -cost_exponent);
}

SpaceProblem space_problem(const Space& space, const SpaceLatency& latency) {
  SpaceProblem problem;
  for (const Decision& d : space.decisions) problem.factors.cost.emplace_back(std::size_t(d.count()), 0);
  double most = 0;
  for (int l = 0; l < latency.layers(); ++l) {
    const LayerForms& forms = latency.forms(l);
    problem.factors.latency.push_back({forms.decisions, forms.units});
    most += double(*std::ranges::max_element(forms.units));
  }
  if (most >= limit)
    fail("{}: the layers' latencies add up to {:.0f} us; 10^9 us is the most", space.name,
         most / latency_units);
  return problem;
}

SpaceProblem space_problem(const Space& space, const SpaceLatency& latency, const DecisionCosts& costs) {
  check_costs(space, costs);
  SpaceProblem problem = space_problem(space, latency);
  problem.cost_exponent = exponent_for(costs);
  for (std::size_t d = 0; d < costs.size(); ++d) {
    const double least = *std::ranges::min_element(costs[d]);
    for (std::size_t v = 0; v < costs[d].size(); ++v)
      problem.factors.cost[d][v] = std::llround(std::ldexp(costs[d][v] - least, problem.cost_exponent));
  }
  return problem;
}

std::int64_t budget_units(double budget_us) {
  if (std::isnan(budget_us)) fail("the latency budget is not a number; give microseconds");
  return std::int64_t(std::floor(std::clamp(budget_us * latency_units, -1.0, limit)));
}

double predicted_cost(const DecisionCosts& costs, const Candidate& candidate) {
  double sum = 0;
  for (std::size_t d = 0; d < candidate.size(); ++d) sum += costs[d][std::size_t(candidate[d])];
  return sum;
}

Candidate fastest_candidate(const Space& space, const SpaceLatency& latency, double budget_us) {
  const std::int64_t budget = budget_units(budget_us);
  const FactorChoice fastest = fastest_choice(space_problem(space, latency).factors);
  if (fastest.latency > budget)
    fail(
        "no network of {} meets the latency budget of {} us; the least latency that one has is {} us: raise "
        "the budget",
        space.name, budget_us, double(fastest.latency) / latency_units);
  return fastest.value;
}

ExactChoice exact_choice(const Space& space, const SpaceLatency& latency, const DecisionCosts& costs,
                         double budget_us, const EliminationLimits& limits) {
  check_costs(space, costs);
  fastest_candidate(space, latency, budget_us);
  if (options_alone(space))
    return {solve(cost_table(space, latency, costs), double(budget_units(budget_us))).choice, 0, false};
  const SpaceProblem problem = space_problem(space, latency, costs);
  EliminationResult found = solve(problem.factors, budget_units(budget_us), limits);
  const double gap = problem.cost(found.best.cost - found.lower_bound);
  return {std::move(found.best.value), gap, found.stopped};
}

}  // namespace twofour::nas
