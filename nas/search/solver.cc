#include "twofour/nas/search/solver.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <span>

#include "twofour/isa/error.h"
#include "twofour/nas/search/groups.h"

// Branch and bound by levels. Groups are decided one after the other; a level holds the partial choices
// ("states") that no other state beats in latency and cost. Each state's best completion is bounded from
// below by the linear relaxation of the groups that are left, and from above by that relaxation's last whole
// step, which is a real choice. States whose lower bound lies above the best upper bound are dropped. Short
// passes that keep only the most promising states find good upper bounds first; the first pass that never had
// to leave out a state is exact.

namespace twofour::nas {
namespace {

/// States that one search may hold (of 64 bytes); far more than tables of measured latencies need.
constexpr std::size_t max_states = std::size_t(1) << 22;

/// A partial choice; latency and cost are above the problem's least sums.
struct State {
  Int128 latency = 0, cost = 0;
  std::uint32_t parent = 0;  ///< in the level before
  std::uint32_t item = 0;    ///< of the group decided last
  long double bound = 0;     ///< no completion costs less
};

/// The linear relaxation of the groups that are left: starts at their fastest items, takes steps in order of
/// slope.
class Relaxation {
 public:
  Relaxation(const Problem& problem, const std::vector<int>& rank, int level) {
    for (std::size_t g = 0; g < problem.groups.size(); ++g)
      if (rank[g] >= level) start_cost_ += problem.groups[g].items.front().cost;
    for (const Segment& s : problem.segments)
      if (rank[std::size_t(s.group)] >= level) steps_.push_back(&s);
  }

  /// Bounds of states sorted by falling room for latency: call with rooms that never fall; steps are passed
  /// once.
  struct Bounds {
    long double lower;
    Int128 upper;
  };
  Bounds advance(Int128 room) {
    while (next_ < steps_.size() && latency_ + steps_[next_]->latency <= room) {
      latency_ += steps_[next_]->latency;
      saved_ += steps_[next_]->cost;
      ++next_;
    }
    const Int128 upper = start_cost_ - saved_;
    const long double part =
        next_ < steps_.size() ? steps_[next_]->slope * static_cast<long double>(room - latency_) : 0.0L;
    return {static_cast<long double>(upper) - part, upper};
  }

 private:
  std::vector<const Segment*> steps_;
  Int128 start_cost_ = 0, latency_ = 0, saved_ = 0;
  std::size_t next_ = 0;
};

/// The search for one budget.
class Search {
 public:
  Search(const Problem& problem, Int128 budget)
      : problem_(problem),
        room_(std::min(budget - problem.least_latency, problem.latency_span)),
        // Bounds are rounded to 64 bits; this margin, far above their error, keeps a rounded bound from
        // dropping a state.
        margin_(static_cast<long double>(problem.cost_span) * 1e-12L) {
    order_groups();
  }

  /// The chosen item of each group.
  std::vector<int> run() {
    for (std::size_t width = 256;; width *= 16)
      if (const auto items = pass(width)) return *items;
  }

 private:
  /// The groups with the most at stake first, so that the last levels, which hold the most states, are
  /// bounded tightly.
  void order_groups() {
    order_.resize(problem_.groups.size());
    for (std::size_t g = 0; g < order_.size(); ++g) order_[g] = int(g);
    std::ranges::stable_sort(order_, [&](int a, int b) {
      return problem_.groups[std::size_t(a)].items.back().latency >
             problem_.groups[std::size_t(b)].items.back().latency;
    });
    rank_.resize(order_.size());
    for (std::size_t i = 0; i < order_.size(); ++i) rank_[std::size_t(order_[i])] = int(i);
  }

  /// All extensions of the states by the group's items that still fit, without dominated ones, by rising
  /// latency.
  std::vector<State> extend(std::span<const State> states, const Group& group) const {
    std::vector<State> next;
    for (std::size_t s = 0; s < states.size(); ++s)
      for (std::size_t i = 0; i < group.items.size(); ++i) {
        const State state{states[s].latency + group.items[i].latency, states[s].cost + group.items[i].cost,
                          std::uint32_t(s), std::uint32_t(i)};
        if (state.latency > room_) break;
        next.push_back(state);
      }
    std::ranges::stable_sort(next, [](const State& a, const State& b) {
      return a.latency != b.latency ? a.latency < b.latency : a.cost < b.cost;
    });
    std::size_t kept = 0;
    for (const State& state : next)
      if (kept == 0 || state.cost < next[kept - 1].cost) next[kept++] = state;
    next.resize(kept);
    return next;
  }

  /// Drops states that cannot be part of an optimum; improves the upper bound on the way.
  void prune(std::vector<State>& states, Relaxation relaxation) {
    for (std::size_t s = states.size(); s-- > 0;) {
      const auto [lower, upper] = relaxation.advance(room_ - states[s].latency);
      states[s].bound = static_cast<long double>(states[s].cost) + lower;
      best_ = std::min(best_, states[s].cost + upper);
    }
    std::erase_if(states,
                  [&](const State& s) { return s.bound > static_cast<long double>(best_) + margin_; });
  }

  /// Keeps the `width` states of least bound, in their order. Returns whether any had to go.
  static bool narrow(std::vector<State>& states, std::size_t width) {
    if (states.size() <= width) return false;
    std::vector<long double> bounds;
    for (const State& s : states) bounds.push_back(s.bound);
    std::ranges::nth_element(bounds, bounds.begin() + std::ptrdiff_t(width - 1));
    std::erase_if(states, [limit = bounds[width - 1]](const State& s) { return s.bound > limit; });
    return true;
  }

  /// One pass with at most about `width` states a level; nothing if that left out a state that might have
  /// mattered.
  std::optional<std::vector<int>> pass(std::size_t width) {
    std::vector<std::vector<State>> levels{{State{}}};
    bool complete = true;
    std::size_t held = 0;
    for (std::size_t level = 0; level < order_.size(); ++level) {
      levels.push_back(extend(levels.back(), problem_.groups[std::size_t(order_[level])]));
      prune(levels.back(), Relaxation(problem_, rank_, int(level) + 1));
      complete &= !narrow(levels.back(), width);
      held += levels.back().size();
      if (held > max_states)
        fail(
            "too many choices of nearly equal cost and latency to solve exactly; round latencies and costs "
            "to fewer digits");
    }
    if (!complete) return std::nullopt;
    return trace(levels);
  }

  /// The last level's last state is the cheapest; equal costs left the one of least latency.
  std::vector<int> trace(const std::vector<std::vector<State>>& levels) const {
    std::vector<int> items(order_.size());
    std::size_t at = levels.back().size() - 1;
    for (std::size_t level = order_.size(); level > 0; --level) {
      const State& state = levels[level][at];
      items[std::size_t(order_[level - 1])] = int(state.item);
      at = state.parent;
    }
    return items;
  }

  const Problem& problem_;
  Int128 room_;
  long double margin_;
  Int128 best_ = std::numeric_limits<Int128>::max();
  std::vector<int> order_;  ///< groups in the order in which they are decided
  std::vector<int> rank_;   ///< its inverse
};

Solution make_solution(const Problem& problem, const CostTable& table, const std::vector<int>& items) {
  Solution solution;
  solution.choice.resize(table.layers.size());
  Int128 latency = problem.least_latency, cost = problem.least_cost;
  for (std::size_t g = 0; g < items.size(); ++g) {
    const Group& group = problem.groups[g];
    const Item& item = group.items[std::size_t(items[g])];
    latency += item.latency;
    cost += item.cost;
    for (std::size_t l = 0; l < group.layers.size(); ++l)
      solution.choice[std::size_t(group.layers[l])] = group.options[std::size_t(item.option)][l];
  }
  solution.cost = problem.cost_grid.to_double(cost);
  solution.latency_ms = problem.latency_grid.to_double_up(latency);
  return solution;
}

Solution solve_exactly(const Problem& problem, const CostTable& table, Int128 budget) {
  return make_solution(problem, table, Search(problem, budget).run());
}

Solution solve_problem(const Problem& problem, const CostTable& table, double budget_ms) {
  if (!std::isfinite(budget_ms)) fail("the latency budget is {} ms; give a finite number", budget_ms);
  const Int128 budget = budget_ms < 0 ? Int128(-1) : problem.latency_grid.at_most(budget_ms);
  if (budget < problem.least_latency)
    fail("no choice meets the latency budget of {} ms; the least that can be met is {} ms", budget_ms,
         problem.latency_grid.to_double_up(problem.least_latency));
  return solve_exactly(problem, table, budget);
}

}  // namespace

Solution solve(const CostTable& table, double budget_ms) {
  return solve_problem(Problem(table), table, budget_ms);
}

LatencyRange latency_range(const CostTable& table) {
  const Problem problem(table);
  return {problem.latency_grid.to_double_up(problem.least_latency),
          problem.latency_grid.to_double_up(problem.least_latency + problem.latency_span)};
}

std::vector<Solution> pareto_curve(const CostTable& table, const std::vector<double>& budgets_ms) {
  const Problem problem(table);
  std::vector<Solution> curve;
  for (const double budget : budgets_ms) curve.push_back(solve_problem(problem, table, budget));
  return curve;
}

std::vector<Solution> pareto_curve(const CostTable& table, int points) {
  if (points < 2) fail("a curve of {} points; ask for at least 2", points);
  const Problem problem(table);
  std::vector<Solution> curve;
  for (Int128 i = 0; i < points; ++i) {
    const Int128 steps = points - 1;
    const Int128 above = problem.latency_span / steps * i + problem.latency_span % steps * i / steps;
    Solution solution = solve_exactly(problem, table, problem.least_latency + above);
    if (curve.empty() || solution.choice != curve.back().choice) curve.push_back(std::move(solution));
  }
  return curve;
}

}  // namespace twofour::nas
