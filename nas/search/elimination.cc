#include "twofour/nas/search/elimination.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>

#include "twofour/isa/error.h"
#include "twofour/nas/search/pareto_pass.h"

namespace twofour::nas {
namespace {

constexpr Int128 first_of_two = Int128(1) << 51;  ///< weight of a sum that goes before the other
constexpr std::array<std::size_t, 4> widths{24, 512, 8192, 131072};

/// The problem's tree and the choices found so far.
class Elimination {
 public:
  explicit Elimination(const FactorProblem& problem) : problem_(problem), tree_(problem) {}

  FactorChoice fastest() const { return least(1, first_of_two); }

  EliminationResult run(std::int64_t budget, const EliminationLimits& limits) {
    budget_ = budget;
    result_.best = fastest();
    if (result_.best.latency > budget)
      fail("no choice meets a latency budget of {} units; the least that can be met is {}", budget,
           result_.best.latency);
    const FactorChoice cheapest = least(first_of_two, 1);
    if (cheapest.latency <= budget) {
      result_.best = cheapest;
      result_.lower_bound = cheapest.cost;
      return std::move(result_);
    }
    find_bounds(cheapest);
    for (const std::size_t width : widths)
      if (!widen(width, limits)) break;
    return std::move(result_);
  }

 private:
  FactorChoice least(Int128 p, Int128 q) const {
    return evaluate(problem_, WeightedSum(tree_, p, q).choice(problem_.decisions()));
  }

  /// The multiplier of the best Lagrangian bound: the slope at which the lower convex hull of all choices
  /// passes the budget; `fast` and `cheap` close in on its ends.
  void find_bounds(FactorChoice cheap) {
    FactorChoice& fast = result_.best;
    for (;;) {
      const Int128 p = cheap.latency - fast.latency, q = fast.cost - cheap.cost;
      const WeightedSum sum(tree_, p, q);
      FactorChoice between = evaluate(problem_, sum.choice(problem_.decisions()));
      if (p * between.cost + q * between.latency == p * fast.cost + q * fast.latency) {
        result_.lower_bound = bound_of(sum);
        keep_sums(p, q);
        return;
      }
      (between.latency <= budget_ ? fast : cheap) = std::move(between);
    }
  }

  /// The least whole cost that the relaxation allows within the budget.
  std::int64_t bound_of(const WeightedSum& sum) const {
    const Int128 total = sum.below(tree_.buckets.size() - 1)[0] - sum.q() * budget_;
    return total <= 0 ? 0 : std::int64_t((total + sum.p() - 1) / sum.p());
  }

  void keep_sums(Int128 p, Int128 q) {
    sums_.emplace_back(tree_, 0, 1);
    for (const auto& [on_p, on_q] : {std::pair{1, 1}, {3, 2}, {2, 3}, {1, 3}, {3, 1}})
      sums_.emplace_back(tree_, p * on_p, q * on_q);
    for (WeightedSum& s : sums_) s.find_outside();
  }

  /// One pass; whether a wider one can find more.
  bool widen(std::size_t width, const EliminationLimits& limits) {
    if (limits.stop && limits.stop()) result_.stopped = true;
    if (result_.stopped) return false;
    PassBounds bounds{budget_, result_.best.cost, {}};
    for (const WeightedSum& s : sums_) bounds.sums.push_back(&s);
    const PassResult pass = run_pass(problem_, tree_, bounds, width, limits);
    if (!pass.within_limits) return false;
    if (pass.choice) {
      FactorChoice found = evaluate(problem_, *pass.choice);
      if (std::pair(found.cost, found.latency) < std::pair(result_.best.cost, result_.best.latency))
        result_.best = std::move(found);
    }
    const bool complete = std::isinf(pass.dropped);
    // The bound is a long double: this margin, far above its error, keeps it one from below.
    const auto proven = complete ? result_.best.cost : std::int64_t(pass.dropped * (1 - 1e-15L));
    result_.lower_bound = std::clamp(proven, result_.lower_bound, result_.best.cost);
    return !complete;
  }

  const FactorProblem& problem_;
  BucketTree tree_;
  std::int64_t budget_ = 0;
  std::deque<WeightedSum> sums_;
  EliminationResult result_;
};

}  // namespace

FactorChoice fastest_choice(const FactorProblem& problem) {
  return Elimination(problem).fastest();
}

std::int64_t least_latency(const FactorProblem& problem) {
  return fastest_choice(problem).latency;
}

EliminationResult solve(const FactorProblem& problem, std::int64_t budget, const EliminationLimits& limits) {
  return Elimination(problem).run(budget, limits);
}

}  // namespace twofour::nas
