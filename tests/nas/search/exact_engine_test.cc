#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "random_spaces.h"
#include "twofour/isa/error.h"
#include "twofour/isa/machine.h"
#include "twofour/nas/search/space_problem.h"
#include "twofour/nas/space/space_file.h"

namespace twofour::nas {
namespace {

double us(std::int64_t units) {
  return std::ldexp(double(units), -20);
}

/// Least cost, then least latency, among those within the budget; null: none.
const Tried* best_of(const std::vector<Tried>& all, double budget_us) {
  const Tried* best = nullptr;
  for (const Tried& t : all)
    if (us(t.units) <= budget_us &&
        (!best || std::pair(t.cost, t.units) < std::pair(best->cost, best->units)))
      best = &t;
  return best;
}

SearchResult run_exact(const RandomSpace& s, const SpaceLatency& latency, double budget_us) {
  SearchTask task;
  task.space = &s.space;
  task.latency = &latency;
  task.costs = &s.costs;
  task.budget_us = budget_us;
  return make_search_engine("exact")->run(task);
}

void compare_with_every_candidate(const RandomSpace& s, std::mt19937& random) {
  const SpaceLatency latency(s.space,
                             [&](const Layer& l, Option o) { return made_up_latency(l, o, s.salt); });
  const auto all = try_all(s);
  const auto [least, most] = std::ranges::minmax_element(all, {}, &Tried::units);
  for (int i = 0; i < 4; ++i) {
    // Budgets that a candidate meets exactly, and some that none meets exactly.
    const std::int64_t units = all[random() % all.size()].units;
    const double budget = i == 0 ? us(least->units) : us(units) + (i % 2 ? 0 : 0.3);
    const Tried* best = best_of(all, budget);
    ASSERT_NE(best, nullptr);
    const SearchResult result = run_exact(s, latency, budget);
    EXPECT_EQ(*result.best.predicted_cost, best->cost);
    EXPECT_EQ(result.best.latency_us, us(best->units));
    EXPECT_EQ(result.note, "optimal");
    const auto at = std::ranges::find(all, result.best.candidate, &Tried::candidate);
    ASSERT_NE(at, all.end());
    EXPECT_EQ(us(at->units), result.best.latency_us);
  }
  EXPECT_THROW(run_exact(s, latency, std::nextafter(us(least->units), 0.0)), Error);
}

TEST(ExactEngine, EqualsEveryCandidateTriedOnOptions) {
  std::mt19937 random(1);
  for (int i = 0; i < 150; ++i) compare_with_every_candidate(random_space(random, false), random);
}

TEST(ExactEngine, EqualsEveryCandidateTriedOnShapes) {
  std::mt19937 random(2);
  int tested = 0;
  for (int i = 0; tested < 200 && i < 1000; ++i) {
    const RandomSpace s = random_space(random, true);
    if (candidate_count(s.space) > 6000) continue;
    compare_with_every_candidate(s, random);
    ++tested;
  }
  EXPECT_EQ(tested, 200);
}

TEST(ExactEngine, SaysTheLeastLatency) {
  std::mt19937 random(3);
  const RandomSpace s = random_space(random, true);
  const SpaceLatency latency(s.space,
                             [&](const Layer& l, Option o) { return made_up_latency(l, o, s.salt); });
  const auto all = try_all(s);
  const double least = us(std::ranges::min(all, {}, &Tried::units).units);
  try {
    run_exact(s, latency, least / 2);
    FAIL() << "a budget that nothing meets was accepted";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find(fmt::format("{} us", least)), std::string::npos) << e.what();
  }
}

TEST(ExactEngine, RefusesCostsOfAnotherSpace) {
  std::mt19937 random(4);
  RandomSpace s = random_space(random, true);
  const SpaceLatency latency(s.space,
                             [&](const Layer& l, Option o) { return made_up_latency(l, o, s.salt); });
  s.costs[1].push_back(0);
  EXPECT_THROW(run_exact(s, latency, 1e6), Error);
  s.costs.pop_back();
  EXPECT_THROW(run_exact(s, latency, 1e6), Error);
}

/// Elimination on the options alone must find what the solver of tables finds, on a real network's latencies.
TEST(ExactEngine, EliminationAgreesWithTheSolverOfTables) {
  const Network network = resnet_small(2, 64, 2);
  const Space space = parse_space(default_space_text("msps"), "default", network);
  const SpaceLatency latency(space, isa::load_machine("a100-sxm4-80gb"), 128);
  std::mt19937 random(5);
  for (int i = 0; i < 10; ++i) {
    DecisionCosts costs;
    for (const Decision& d : space.decisions) {
      costs.emplace_back();
      for (int v = 0; v < d.count(); ++v) costs.back().push_back(double(random() % 4096) / 4096);
    }
    const double fastest = latency.us(fastest_candidate(space, latency, 1e6));
    const double budget = fastest * (1 + 0.15 * i);
    const ExactChoice by_table = exact_choice(space, latency, costs, budget);
    const SpaceProblem problem = space_problem(space, latency, costs);
    const EliminationResult found = solve(problem.factors, budget_units(budget));
    EXPECT_EQ(found.lower_bound, found.best.cost);
    EXPECT_EQ(predicted_cost(costs, found.best.value), predicted_cost(costs, by_table.candidate));
    EXPECT_EQ(latency.us(found.best.value), latency.us(by_table.candidate));
  }
}

}  // namespace
}  // namespace twofour::nas
