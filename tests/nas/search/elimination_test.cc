#include "twofour/nas/search/elimination.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>

#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

/// Decisions in random factors of up to three: trees, cycles and parts that do not touch. `hard`: cost and
/// latency add up to nearly a constant, so that bounds drop little.
FactorProblem random_problem(std::mt19937& random, int decisions, bool hard) {
  const auto below = [&](int n) { return int(random() % unsigned(n)); };
  FactorProblem p;
  for (int d = 0; d < decisions; ++d) {
    p.cost.emplace_back();
    for (int v = 0, n = 2 + below(2); v < n; ++v) p.cost.back().push_back(below(hard ? 100000 : 12));
  }
  for (int d = 0; hard && d < decisions; ++d) {
    p.latency.push_back({{d}, {}});
    for (const std::int64_t c : p.cost[std::size_t(d)])
      p.latency.back().units.push_back(100000 - c + below(3));
  }
  for (int f = 0; !hard && f < decisions; ++f) {
    std::vector<int> scope{f};
    for (int extra = below(3); extra > 0; --extra)
      if (const int d = std::min(decisions - 1, f + below(4)); std::ranges::count(scope, d) == 0)
        scope.push_back(d);
    std::ranges::shuffle(scope, random);
    LatencyFactor factor{scope, {}};
    int size = 1;
    for (const int d : scope) size *= p.count(d);
    for (int i = 0; i < size; ++i) factor.units.push_back(below(30));
    p.latency.push_back(factor);
  }
  return p;
}

/// All sums, by a definition of its own: index by mixed radix, the first decision fastest.
std::vector<FactorChoice> try_all(const FactorProblem& p) {
  std::vector<FactorChoice> all;
  std::vector<int> value(p.cost.size(), 0);
  for (;;) {
    FactorChoice c{value, 0, 0};
    for (std::size_t d = 0; d < value.size(); ++d) c.cost += p.cost[d][std::size_t(value[d])];
    for (const LatencyFactor& f : p.latency) {
      std::size_t at = 0;
      for (std::size_t i = f.decisions.size(); i-- > 0;)
        at =
            at * p.cost[std::size_t(f.decisions[i])].size() + std::size_t(value[std::size_t(f.decisions[i])]);
      c.latency += f.units[at];
    }
    all.push_back(c);
    std::size_t d = 0;
    while (d < value.size() && ++value[d] == int(p.cost[d].size())) value[d++] = 0;
    if (d == value.size()) return all;
  }
}

std::optional<FactorChoice> best_of(const std::vector<FactorChoice>& all, std::int64_t budget) {
  std::optional<FactorChoice> best;
  for (const FactorChoice& c : all)
    if (c.latency <= budget && (!best || std::pair(c.cost, c.latency) < std::pair(best->cost, best->latency)))
      best = c;
  return best;
}

TEST(Elimination, EqualsEveryChoiceTried) {
  std::mt19937 random(11);
  for (int i = 0; i < 400; ++i) {
    const FactorProblem p = random_problem(random, 1 + int(random() % 8), false);
    const auto all = try_all(p);
    const std::int64_t least = std::ranges::min(all, {}, &FactorChoice::latency).latency;
    EXPECT_EQ(least_latency(p), least);
    for (const std::int64_t budget : {least, least + 5, least + 12, least + 25, least + 1000}) {
      const auto best = best_of(all, budget);
      const EliminationResult found = solve(p, budget);
      ASSERT_EQ(found.best.cost, best->cost);
      ASSERT_EQ(found.best.latency, best->latency);
      ASSERT_EQ(found.lower_bound, best->cost);
      const FactorChoice again = evaluate(p, found.best.value);
      EXPECT_EQ(again.cost, best->cost);
      EXPECT_EQ(again.latency, best->latency);
    }
    EXPECT_THROW(solve(p, least - 1), Error);
  }
}

TEST(Elimination, FastestChoiceIsTheCheapestOfThem) {
  std::mt19937 random(12);
  for (int i = 0; i < 100; ++i) {
    const FactorProblem p = random_problem(random, 5, false);
    const auto all = try_all(p);
    const std::int64_t least = std::ranges::min(all, {}, &FactorChoice::latency).latency;
    const FactorChoice fastest = fastest_choice(p);
    EXPECT_EQ(fastest.latency, least);
    EXPECT_EQ(fastest.cost, best_of(all, least)->cost);
  }
}

/// With too little memory for an exact answer: still within the budget, and the bound holds.
TEST(Elimination, ProvesAGapWhereItMayNotGoOn) {
  std::mt19937 random(13);
  int with_gap = 0, better_than_nothing = 0;
  for (int i = 0; i < 30; ++i) {
    const FactorProblem p = random_problem(random, 9, true);
    const auto all = try_all(p);
    const std::int64_t least = least_latency(p), budget = least + 150000;
    const std::int64_t optimum = best_of(all, budget)->cost;
    EXPECT_EQ(solve(p, budget).best.cost, optimum);
    for (const std::int64_t states : {1, 400, 2000}) {
      EliminationLimits limits;
      limits.states = states;
      const EliminationResult found = solve(p, budget, limits);
      EXPECT_LE(found.best.latency, budget);
      EXPECT_LE(found.lower_bound, optimum);
      EXPECT_GE(found.best.cost, optimum);
      with_gap += found.lower_bound < found.best.cost;
      better_than_nothing += found.lower_bound > 0;
    }
  }
  EXPECT_GT(with_gap, 20);
  EXPECT_GT(better_than_nothing, 60);
}

TEST(Elimination, StopsWithTheBestSoFar) {
  std::mt19937 random(14);
  const FactorProblem p = random_problem(random, 9, true);
  EliminationLimits limits;
  limits.stop = [] { return true; };
  const std::int64_t budget = least_latency(p) + 150000;
  const EliminationResult found = solve(p, budget, limits);
  EXPECT_TRUE(found.stopped);
  EXPECT_LE(found.best.latency, budget);
  EXPECT_LE(found.lower_bound, solve(p, budget).best.cost);
}

}  // namespace
}  // namespace twofour::nas
