#include "twofour/nas/search/search_engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "random_spaces.h"
#include "twofour/isa/error.h"
#include "twofour/isa/machine.h"
#include "twofour/nas/space/space_file.h"

namespace twofour::nas {
namespace {

/// Loss: the costs, each decision's times a factor of its own, and a part that depends on pairs of
/// neighbours.
class MadeUpEvaluator final : public Evaluator {
 public:
  MadeUpEvaluator(const DecisionCosts& costs, std::vector<double> factors, double interaction)
      : costs_(costs), factors_(std::move(factors)), interaction_(interaction) {}

  std::vector<Measurement> measure(const std::vector<Candidate>& candidates) override {
    batches.push_back(candidates.size());
    std::vector<Measurement> measured;
    for (const Candidate& c : candidates) measured.push_back({loss(c), 1 / (1 + loss(c))});
    return measured;
  }

  double loss(const Candidate& c) const {
    double sum = 10;
    for (std::size_t d = 0; d < c.size(); ++d) sum += factors_[d] * costs_[d][std::size_t(c[d])];
    for (std::size_t d = 1; d < c.size(); ++d) sum += interaction_ * ((c[d] * 5 + c[d - 1] * 3) % 7);
    return sum;
  }

  std::vector<std::size_t> batches;

 private:
  const DecisionCosts& costs_;
  std::vector<double> factors_;
  double interaction_;
};

/// A space of some thousand candidates and everything that an engine is given.
struct Bench {
  explicit Bench(double interaction = 0.05, double odd_factor = 1, unsigned seed = 21)
      : made(make(seed)),
        latency(made.space, [this](const Layer& l, Option o) { return made_up_latency(l, o, made.salt); }),
        evaluator(made.costs, factors(made.costs.size(), odd_factor), interaction),
        all(try_all(made)) {
    std::ranges::sort(all, {}, &Tried::units);
    budget = std::ldexp(double(all[all.size() / 2].units), -20);
  }

  static RandomSpace make(unsigned seed) {
    std::mt19937 random(seed);
    for (;;) {
      RandomSpace s = random_space(random, true);
      if (const double n = candidate_count(s.space); n > 1000 && n < 6000) return s;
    }
  }
  static std::vector<double> factors(std::size_t count, double odd) {
    std::vector<double> f(count, 1);
    for (std::size_t d = 1; d < count; d += 2) f[d] = odd;
    return f;
  }

  SearchTask task(int evaluations, std::uint64_t seed = 1) {
    SearchTask t;
    t.space = &made.space;
    t.latency = &latency;
    t.costs = &made.costs;
    t.evaluator = &evaluator;
    t.budget_us = budget;
    t.evaluations = evaluations;
    t.seed = seed;
    return t;
  }

  double least_loss() const {
    double least = INFINITY;
    for (const Tried& t : all)
      if (std::ldexp(double(t.units), -20) <= budget) least = std::min(least, evaluator.loss(t.candidate));
    return least;
  }
  std::size_t feasible() const {
    return std::size_t(std::ranges::count_if(
        all, [&](const Tried& t) { return std::ldexp(double(t.units), -20) <= budget; }));
  }

  RandomSpace made;
  SpaceLatency latency;
  MadeUpEvaluator evaluator;
  std::vector<Tried> all;
  double budget = 0;
};

class MeasuringEngine : public testing::TestWithParam<const char*> {
 protected:
  SearchResult run(const SearchTask& task) { return make_search_engine(GetParam())->run(task); }
};
INSTANTIATE_TEST_SUITE_P(All, MeasuringEngine, testing::Values("reweighted", "evolution", "random"));

TEST_P(MeasuringEngine, KeepsItsPromises) {
  Bench bench;
  auto task = bench.task(60);
  std::vector<std::int64_t> reported;
  task.progress = [&](const SearchProgress& p) { reported.push_back(p.done); };
  const SearchResult result = run(task);
  EXPECT_EQ(result.evaluations, std::int64_t(result.visited.size()));
  EXPECT_LE(result.evaluations, 60);
  EXPECT_FALSE(result.stopped);
  std::set<Candidate> seen;
  const FoundNetwork* best = nullptr;
  for (const FoundNetwork& n : result.visited) {
    EXPECT_TRUE(seen.insert(n.candidate).second) << "measured twice";
    EXPECT_LE(n.latency_us, bench.budget);
    EXPECT_EQ(n.latency_us, bench.latency.us(n.candidate));
    EXPECT_EQ(n.measured->loss, bench.evaluator.loss(n.candidate));
    if (!best || n.measured->loss < best->measured->loss) best = &n;
  }
  EXPECT_EQ(result.best.measured->loss, best->measured->loss);
  ASSERT_FALSE(reported.empty());
  EXPECT_TRUE(std::ranges::is_sorted(reported));
  EXPECT_EQ(reported.back(), result.evaluations);
}

TEST_P(MeasuringEngine, SameSeedSameSearch) {
  const auto trail = [&](std::uint64_t seed) {
    std::vector<Candidate> list;
    for (const unsigned space : {31u, 32u, 33u}) {
      Bench bench(0, 8, space);
      for (const FoundNetwork& n : run(bench.task(40, seed)).visited) list.push_back(n.candidate);
    }
    return list;
  };
  EXPECT_EQ(trail(1), trail(1));
  EXPECT_NE(trail(1), trail(2));
}

TEST_P(MeasuringEngine, StopsWithTheBestSoFar) {
  Bench bench;
  auto task = bench.task(200);
  int asked = 0;
  task.stop = [&] { return ++asked > 3; };
  const SearchResult result = run(task);
  EXPECT_TRUE(result.stopped);
  EXPECT_LT(result.evaluations, 200);
  EXPECT_LE(result.best.latency_us, bench.budget);
  task.stop = [] { return true; };
  const SearchResult nothing = run(task);
  EXPECT_TRUE(nothing.stopped);
  EXPECT_EQ(nothing.evaluations, 0);
  EXPECT_LE(nothing.best.latency_us, bench.budget);
}

TEST_P(MeasuringEngine, RefusesWhatItCannotDo) {
  Bench bench;
  EXPECT_THROW(run(bench.task(0)), Error);
  auto task = bench.task(10);
  task.evaluator = nullptr;
  EXPECT_THROW(run(task), Error);
  task = bench.task(10);
  task.budget_us = std::ldexp(double(bench.all.front().units - 1), -20);
  EXPECT_THROW(run(task), Error);
  // The least budget of all leaves one network (latencies differ), and it is found.
  task.budget_us = std::ldexp(double(bench.all.front().units), -20);
  EXPECT_EQ(run(task).best.candidate, bench.all.front().candidate);
}

TEST(EvolutionEngine, FindsTheBestOfASmallSpace) {
  for (const unsigned seed : {21u, 22u, 23u}) {
    Bench bench(0.05, 1, seed);
    const SearchResult result = make_search_engine("evolution")->run(bench.task(400));
    EXPECT_NEAR(result.best.measured->loss, bench.least_loss(), 0.02) << "of " << bench.feasible();
  }
}

TEST(EvolutionEngine, NeedsNoCosts) {
  Bench bench;
  auto task = bench.task(100);
  task.costs = nullptr;
  const SearchResult result = make_search_engine("evolution")->run(task);
  EXPECT_EQ(result.evaluations, 100);
  EXPECT_FALSE(result.best.predicted_cost.has_value());
}

TEST(EvolutionEngine, BatchesDoNotDependOnTheMeasurements) {
  Bench bench;
  make_search_engine("evolution")->run(bench.task(100));
  for (const std::size_t size : bench.evaluator.batches) EXPECT_LE(size, 16u);
  EXPECT_EQ(bench.evaluator.batches[0], 16u);
}

TEST(ReweightedEngine, BeginsWithTheExactSolution) {
  Bench bench;
  const SearchResult exact = make_search_engine("exact")->run(bench.task(0));
  const SearchResult result = make_search_engine("reweighted")->run(bench.task(20));
  ASSERT_FALSE(result.visited.empty());
  EXPECT_EQ(result.visited[0].candidate, exact.best.candidate);
}

/// Where half of the costs are off by a factor of eight, the right coefficients make the problem separable
/// again.
TEST(ReweightedEngine, CorrectsCostsThatAreOff) {
  double gap_before = 0, gap_after = 0;
  for (unsigned seed = 31; seed <= 40; ++seed) {
    Bench bench(0, 8, seed);
    const SearchResult result = make_search_engine("reweighted")->run(bench.task(150));
    gap_before += result.visited[0].measured->loss - bench.least_loss();
    gap_after += result.best.measured->loss - bench.least_loss();
  }
  EXPECT_GT(gap_before, 0.5);
  EXPECT_LT(gap_after, 0.1 * gap_before);
}

/// Costs of a network of real size that rise with fewer bits.
DecisionCosts rising_costs(const Space& space, std::mt19937& random) {
  DecisionCosts costs;
  for (const Decision& d : space.decisions) {
    const double weight = 1 + double(random() % 1024) / 256;
    costs.emplace_back();
    for (const Option o : d.options)
      costs.back().push_back(weight * (8.0 / info(o).weight_bits + info(o).sparse));
  }
  return costs;
}

/// Every second decision's costs are eight times too small: the optimum under the right costs is known from
/// the exact search, and lies several steps away.
TEST(ReweightedEngine, WalksWhereOneStepIsNotEnough) {
  const Space space = parse_space(default_space_text("msps"), "default", resnet_small(2, 64, 2));
  const SpaceLatency latency(space, isa::load_machine("a100-sxm4-80gb"), 128);
  double before = 0, after = 0;
  for (unsigned seed = 51; seed <= 56; ++seed) {
    std::mt19937 random(seed);
    const DecisionCosts costs = rising_costs(space, random);
    DecisionCosts right = costs;
    for (std::size_t d = 1; d < right.size(); d += 2)
      for (double& c : right[d]) c *= 8;
    MadeUpEvaluator evaluator(costs, Bench::factors(costs.size(), 8), 0);
    SearchTask task;
    task.space = &space;
    task.latency = &latency;
    task.costs = &right;
    task.evaluator = &evaluator;
    task.budget_us = 0.8 * latency.us(uniform_candidate(space, Option::int8_sparse, Option::int8));
    task.evaluations = 100;
    task.seed = seed;
    const double least = evaluator.loss(make_search_engine("exact")->run(task).best.candidate);
    task.costs = &costs;
    const SearchResult result = make_search_engine("reweighted")->run(task);
    before += result.visited[0].measured->loss - least;
    after += result.best.measured->loss - least;
  }
  EXPECT_LT(after, 0.3 * before);
}

TEST(ReweightedEngine, NeedsCosts) {
  Bench bench;
  auto task = bench.task(10);
  task.costs = nullptr;
  EXPECT_THROW(make_search_engine("reweighted")->run(task), Error);
}

TEST(RandomEngine, EverySecondNetworkIsNearTheBudget) {
  Bench bench;
  const SearchResult result = make_search_engine("random")->run(bench.task(64));
  ASSERT_EQ(result.visited.size(), 64u);
  double even = 0, odd = 0;
  for (std::size_t i = 0; i < result.visited.size(); ++i) {
    const double share = result.visited[i].latency_us / bench.budget;
    EXPECT_GE(share, i % 2 == 1 ? 0.95 : 0);
    (i % 2 ? odd : even) += share / 32;
  }
  EXPECT_LT(even, odd);
}

/// First networks of many seeds: each candidate within the budget as often as any other.
TEST(RandomEngine, IsUniformWithinTheBudget) {
  Bench bench;
  bench.budget =
      std::ldexp(double(bench.all[19].units), -20);  // 20 candidates; those are a share of 1 in 300 at most
  bench.budget = std::ldexp(double(bench.all[bench.all.size() / 4].units), -20);
  const std::size_t feasible = bench.feasible();
  std::map<bool, int> half;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    const SearchResult r = make_search_engine("random")->run(bench.task(1, seed));
    const auto rank = std::ranges::find(bench.all, r.best.candidate, &Tried::candidate) - bench.all.begin();
    ++half[std::size_t(rank) < feasible / 2];
  }
  // 200 expected, standard deviation 10.
  EXPECT_NEAR(half[true], 200, 45);
}

TEST(RandomEngine, EndsWhereTheSpaceEnds) {
  Bench bench;
  bench.budget = std::ldexp(double(bench.all[9].units), -20);
  const SearchResult result = make_search_engine("random")->run(bench.task(500));
  EXPECT_LE(result.visited.size(), 10u);
  EXPECT_GE(result.visited.size(), 1u);
  EXPECT_FALSE(result.note.empty());
}

TEST(SearchEngines, NamesAreListed) {
  for (const char* name : {"exact", "reweighted", "evolution", "random"})
    EXPECT_EQ(make_search_engine(name)->name(), name);
  EXPECT_THROW(make_search_engine("annealing"), Error);
}

}  // namespace
}  // namespace twofour::nas
