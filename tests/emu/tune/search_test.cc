#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "twofour/emu/tune/boosted_trees.h"
#include "twofour/emu/tune/learning_search.h"
#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

const isa::Machine a100 = isa::load_machine("a100-sxm4-80gb");

TuningTask task() {
  GemmProblem p;
  p.m = 512;
  p.n = 49;
  p.k = 2048;
  return tuning_task(p);
}

ScheduleAxes tiny_axes() {
  ScheduleAxes axes;
  axes.m = {32, 64, 128};
  axes.n = {32, 64};
  axes.k_bytes = {64, 128};
  axes.stages = {3, 4};
  axes.warps_m = axes.warps_n = {1, 2};
  axes.shares = {0, 1, 4};
  axes.raster_columns = {1};
  return axes;
}

/// A landscape of our own, nothing like the latency model: one valley, found only by learning two axes.
double valley(const Schedule& s) {
  const double m = std::log2(s.tile.m / 64.0), k = std::log2(s.tile.k_bytes / 128.0);
  return 10 + 5 * std::abs(m) + 3 * std::abs(k) + std::abs(s.tile.stages - 5.0) + 0.3 * s.splits +
         0.01 * s.raster_columns + 0.1 * s.tile.warps() + std::abs(std::log2(s.tile.n / 32.0));
}

TEST(ScheduleSearch, ExhaustiveIsBruteForce) {
  const TuningTask t = task();
  const ScheduleSpace space(t, a100, tiny_axes());
  ASSERT_GT(space.size(), 50u);
  const auto model = model_evaluator(t, a100);
  std::size_t calls = 0;
  const auto found = exhaustive_search(space, [&](const Schedule& s) {
    ++calls;
    return model(s);
  });
  double best = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < space.size(); ++i)
    best = std::min(best, schedule_latency(t.gemm, space[i], a100).microseconds);
  EXPECT_EQ(calls, space.size());
  EXPECT_EQ(found.trials(), space.size());
  EXPECT_EQ(found.best().microseconds, best);
  EXPECT_EQ(schedule_latency(t.gemm, found.best().schedule, a100).microseconds, best);
  EXPECT_TRUE(std::is_sorted(found.candidates.begin(), found.candidates.end(),
                             [](const auto& a, const auto& b) { return a.microseconds < b.microseconds; }));
}

TEST(ScheduleSearch, ASearchThatMayTryAllFindsTheBest) {
  const TuningTask t = task();
  const ScheduleSpace space(t, a100, tiny_axes());
  const auto best = exhaustive_search(space, valley).best();
  for (const std::size_t trials : {space.size(), 10 * space.size()}) {
    const SearchLimits limits{.trials = trials};
    const auto learned = learning_search(space, t, a100, valley, limits),
               drawn = random_search(space, valley, limits);
    EXPECT_EQ(learned.trials(), space.size());
    EXPECT_EQ(drawn.trials(), space.size());
    EXPECT_EQ(learned.best().schedule, best.schedule);
    EXPECT_EQ(drawn.best().schedule, best.schedule);
  }
}

TEST(ScheduleSearch, TheBudgetHoldsAndNoScheduleIsTimedTwice) {
  const TuningTask t = task();
  const ScheduleSpace space(t, a100);
  for (const std::size_t trials : {1u, 2u, 7u, 40u, 301u}) {
    std::vector<bool> seen(space.size(), false);
    std::size_t calls = 0;
    const Evaluator counted = [&](const Schedule& s) {
      ++calls;
      const auto at = space.find(s);
      EXPECT_TRUE(at && !seen[*at]) << to_text(s);
      if (at) seen[*at] = true;
      return valley(s);
    };
    EXPECT_EQ(learning_search(space, t, a100, counted, {.trials = trials}).trials(), trials);
    EXPECT_EQ(calls, trials);
    calls = 0;
    seen.assign(space.size(), false);
    EXPECT_EQ(random_search(space, counted, {.trials = trials}).trials(), trials);
    EXPECT_EQ(calls, trials);
  }
  EXPECT_THROW(learning_search(space, t, a100, valley, {}), Error);
}

TEST(ScheduleSearch, TrialsRefuseAScheduleTwice) {
  const ScheduleSpace space(task(), a100, tiny_axes());
  const Evaluator evaluator = valley;
  const SearchLimits limits{.trials = 2};
  Trials trials(space, evaluator, limits);
  EXPECT_TRUE(trials.run(3));
  EXPECT_FALSE(trials.run(3));
  EXPECT_EQ(trials.left(), 1u);
  EXPECT_TRUE(trials.run(4));
  EXPECT_FALSE(trials.run(5));
  EXPECT_FALSE(trials.open());
}

TEST(ScheduleSearch, TheSeedDecides) {
  const TuningTask t = task();
  const ScheduleSpace space(t, a100);
  const auto trace = [&](std::uint64_t seed) {
    std::vector<std::string> tried;
    const Evaluator spy = [&](const Schedule& s) {
      tried.push_back(to_text(s));
      return valley(s);
    };
    learning_search(space, t, a100, spy, {.trials = 200, .seed = seed});
    return tried;
  };
  const auto first = trace(1);
  EXPECT_EQ(first, trace(1));
  EXPECT_NE(first, trace(2));
}

TEST(ScheduleSearch, LearningBeatsChanceWhereThereIsSomethingToLearn) {
  const TuningTask t = task();
  const ScheduleSpace space(t, a100);
  const double best = exhaustive_search(space, valley).best().microseconds;
  double learned = 0, drawn = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const SearchLimits limits{.trials = 300, .seed = seed};
    learned += learning_search(space, t, a100, valley, limits).best().microseconds / best / 5;
    drawn += random_search(space, valley, limits).best().microseconds / best / 5;
  }
  EXPECT_LT(learned, 1.01);
  EXPECT_LT(learned, drawn);
}

TEST(ScheduleSearch, SchedulesThatDoNotRunAreNotAnswers) {
  const TuningTask t = task();
  const ScheduleSpace space(t, a100);
  const Evaluator broken = [](const Schedule& s) {
    if (s.tile.m != 64) return s.tile.m > 64 ? std::nan("") : std::numeric_limits<double>::infinity();
    return valley(s);
  };
  const auto found = learning_search(space, t, a100, broken, {.trials = 300});
  EXPECT_EQ(found.best().schedule.tile.m, 64);
  EXPECT_EQ(found.trials(), 300u);
  const Evaluator nothing_runs = [](const Schedule&) { return std::numeric_limits<double>::infinity(); };
  EXPECT_FALSE(
      std::isfinite(learning_search(space, t, a100, nothing_runs, {.trials = 30}).best().microseconds));
}

TEST(ScheduleSearch, StopKeepsWhatThereIs) {
  const TuningTask t = task();
  const ScheduleSpace space(t, a100);
  std::size_t calls = 0;
  const Evaluator counted = [&](const Schedule& s) {
    ++calls;
    return valley(s);
  };
  SearchLimits limits{.trials = 500};
  limits.stop = [&] { return calls >= 40; };
  const auto found = learning_search(space, t, a100, counted, limits);
  EXPECT_TRUE(found.stopped);
  EXPECT_EQ(found.trials(), 40u);
  limits.stop = [] { return true; };
  EXPECT_EQ(exhaustive_search(space, counted, limits).trials(), 1u);
  limits.stop = {};
  EXPECT_FALSE(learning_search(space, t, a100, counted, limits).stopped);
}

TEST(ScheduleSearch, TheCostModelLearnsAnAdditiveLaw) {
  const TuningTask t = task();
  const ScheduleSpace space(t, a100);
  const BinnedFeatures features(space, t, a100);
  std::mt19937_64 random(3);
  std::vector<std::size_t> rows;
  std::vector<double> targets;
  for (int i = 0; i < 2000; ++i) {
    rows.push_back(below(space.size(), random));
    targets.push_back(valley(space[rows.back()]));
  }
  const BoostedTrees model(features, rows, targets, random);
  double error = 0, spread = 0, mean = 0;
  for (const double target : targets) mean += target / 2000;
  for (int i = 0; i < 2000; ++i) {  // others than it saw
    const std::size_t at = below(space.size(), random);
    error += std::pow(model.predict(features.row(at)) - valley(space[at]), 2);
    spread += std::pow(mean - valley(space[at]), 2);
  }
  EXPECT_LT(error, 0.05 * spread);
}

TEST(ScheduleSearch, DistinctPicksTradeScoreForDifference) {
  const ScheduleSpace space(task(), a100, tiny_axes());
  std::vector<std::size_t> pool(space.size());
  for (std::size_t i = 0; i < pool.size(); ++i) pool[i] = i;
  std::vector<double> scores(pool.size());
  for (std::size_t i = 0; i < pool.size(); ++i) scores[i] = -static_cast<double>(i);
  EXPECT_EQ(pick_distinct(space, pool, scores, 3, 0), (std::vector<std::size_t>{0, 1, 2}));
  const auto apart = pick_distinct(space, pool, std::vector<double>(pool.size(), 0.0), 2, 1);
  int differing = 0;
  for (std::size_t axis = 0; axis < ScheduleSpace::axis_count; ++axis)
    differing += space.position(apart[0])[axis] != space.position(apart[1])[axis];
  EXPECT_GE(differing, 5);
  EXPECT_EQ(pick_distinct(space, pool, scores, pool.size() + 5, 1).size(), pool.size());
}

}  // namespace
}  // namespace twofour::emu
