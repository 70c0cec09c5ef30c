#pragma once
#include "twofour/nas/search/elimination.h"
#include "twofour/nas/search/search_engine.h"

namespace twofour::nas {

/// A space as a problem of whole units: latencies in LatencyForms::units, costs above the least of each
/// decision in units of 2^-cost_exponent, the finest that keeps sums below 2^50.
struct SpaceProblem {
  FactorProblem factors;
  int cost_exponent = 0;

  double cost(std::int64_t units) const;  ///< above the sum of least costs
};

/// Latencies alone; all costs are 0.
SpaceProblem space_problem(const Space& space, const SpaceLatency& latency);
/// Throws Error for costs that are not finite or not one for each value of each decision.
SpaceProblem space_problem(const Space& space, const SpaceLatency& latency, const DecisionCosts& costs);

/// A budget in the problem's units, rounded down; capped far above every sum.
std::int64_t budget_units(double budget_us);

/// Sum of the candidate's costs, in the order of the decisions.
double predicted_cost(const DecisionCosts& costs, const Candidate& candidate);

struct ExactChoice {
  Candidate candidate;
  double gap = 0;  ///< no candidate within the budget is cheaper by more; 0: proven optimal
  bool stopped = false;
};

/// The candidate of least cost within the budget; of equal costs the one of least latency. Spaces of options
/// alone go through the solver of tables (solver.h), others through elimination.h. Throws Error for a budget
/// that no candidate meets, with the least latency that one has.
ExactChoice exact_choice(const Space& space, const SpaceLatency& latency, const DecisionCosts& costs,
                         double budget_us, const EliminationLimits& limits = {});

/// A candidate of least latency. Throws Error as exact_choice if that is above the budget.
Candidate fastest_candidate(const Space& space, const SpaceLatency& latency, double budget_us);

}  // namespace twofour::nas
