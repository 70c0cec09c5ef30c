#include "twofour/nas/search/solver.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <random>

#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

/// A table in whole thousandths, kept as integers for the oracles.
struct IntegerTable {
  struct Option {
    std::string name;
    std::int64_t cost, latency;
  };
  std::vector<std::vector<Option>> layers;
  std::vector<std::string> ties;

  CostTable table() const {
    CostTable t;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      TableLayer l{fmt::format("layer{}", i), ties[i], {}};
      for (const Option& o : layers[i])
        l.options.push_back({o.name, double(o.cost) / 1000, double(o.latency) / 1000});
      t.layers.push_back(std::move(l));
    }
    return t;
  }
};

IntegerTable random_table(std::mt19937& random, int layers, int options, int most, bool tied) {
  const auto below = [&](int n) { return int(random() % unsigned(n)); };
  IntegerTable t;
  for (int i = 0; i < layers; ++i) {
    std::vector<IntegerTable::Option> row;
    const int count = 1 + below(options), first = below(3);
    for (int o = 0; o < count; ++o)
      row.push_back(
          {fmt::format("o{}", (first + o) % (options + 2)), below(2 * most) - most / 2, below(most)});
    if (tied) row.push_back({"common", below(most), below(most)});
    std::shuffle(row.begin(), row.end(), random);
    t.layers.push_back(row);
    t.ties.push_back(tied && below(2) ? fmt::format("t{}", below(2)) : "");
  }
  return t;
}

struct Best {
  std::int64_t cost, latency;
};

bool obeys_ties(const IntegerTable& t, const std::vector<int>& choice) {
  std::map<std::string, std::string> taken;
  for (std::size_t i = 0; i < choice.size(); ++i) {
    if (t.ties[i].empty()) continue;
    const std::string& name = t.layers[i][std::size_t(choice[i])].name;
    if (taken.emplace(t.ties[i], name).first->second != name) return false;
  }
  return true;
}

Best sums(const IntegerTable& t, const std::vector<int>& choice) {
  Best b{0, 0};
  for (std::size_t i = 0; i < choice.size(); ++i) {
    b.cost += t.layers[i][std::size_t(choice[i])].cost;
    b.latency += t.layers[i][std::size_t(choice[i])].latency;
  }
  return b;
}

/// Tries every combination.
std::optional<Best> brute_force(const IntegerTable& t, std::int64_t budget) {
  std::optional<Best> best;
  std::vector<int> choice(t.layers.size(), 0);
  while (true) {
    const Best b = sums(t, choice);
    if (obeys_ties(t, choice) && b.latency <= budget &&
        (!best || std::pair(b.cost, b.latency) < std::pair(best->cost, best->latency)))
      best = b;
    std::size_t i = 0;
    while (i < choice.size() && ++choice[i] == int(t.layers[i].size())) choice[i++] = 0;
    if (i == choice.size()) return best;
  }
}

/// best[b]: the least cost within latency b, layer by layer. For tables without ties.
std::vector<std::int64_t> dynamic_programme(const IntegerTable& t, std::int64_t budget) {
  constexpr std::int64_t none = INT64_MAX / 4;
  std::vector<std::int64_t> best(std::size_t(budget + 1), 0);
  for (const auto& layer : t.layers) {
    std::vector<std::int64_t> next(best.size(), none);
    for (const auto& o : layer)
      for (std::int64_t b = o.latency; b <= budget; ++b)
        next[std::size_t(b)] = std::min(next[std::size_t(b)], best[std::size_t(b - o.latency)] + o.cost);
    best = next;
  }
  return best;
}

/// The solver's answer must be a legal choice of the oracle's cost and latency.
void expect_best(const IntegerTable& t, std::int64_t budget, const std::optional<Best>& want) {
  const CostTable table = t.table();
  if (!want) {
    EXPECT_THROW(solve(table, double(budget) / 1000), Error);
    return;
  }
  const Solution s = solve(table, double(budget) / 1000);
  ASSERT_EQ(s.choice.size(), t.layers.size());
  EXPECT_TRUE(obeys_ties(t, s.choice));
  const Best got = sums(t, s.choice);
  EXPECT_EQ(got.cost, want->cost);
  EXPECT_EQ(got.latency, want->latency);
  EXPECT_EQ(s.cost, double(want->cost) / 1000);
  EXPECT_EQ(s.latency_ms, double(want->latency) / 1000);
}

TEST(Solver, FindsThePublishedOptimumOfHawqV3) {
  const CostTable table =
      read_table(std::string(TWOFOUR_SOURCE_DIR) + "/data/networks/hawqv3_resnet50_table.csv");
  ASSERT_EQ(table.layers.size(), 52u);
  const Solution s = solve(table, 10.814006);
  EXPECT_NEAR(s.cost, 0.022658307, 5e-10);
  EXPECT_LE(s.latency_ms, 10.814006);
  // The four residual ties of the instance.
  for (const auto& [a, b] : {std::pair(0, 3), {10, 13}, {23, 26}, {42, 45}})
    EXPECT_EQ(s.choice[std::size_t(a)], s.choice[std::size_t(b)]);
  // All int4 and all int8, as published with the instance.
  EXPECT_NEAR(latency_range(table).least_ms, 7.6599, 5e-5);
  EXPECT_NEAR(solve(table, 20).cost, 0.003050, 5e-7);
}

TEST(Solver, EqualsBruteForceOnSmallTables) {
  std::mt19937 random(1);
  for (int i = 0; i < 4000; ++i) {
    const int most = i % 3 == 0 ? 4 : 1000;  // few values: many equal latencies and costs
    const IntegerTable t = random_table(random, 1 + int(random() % 5), 4, most, i % 2 == 0);
    const auto budget =
        std::int64_t(i % 5 == 0 ? 0 : random() % unsigned(1 + most * int(t.layers.size()) / 2));
    SCOPED_TRACE(i);
    expect_best(t, budget, brute_force(t, budget));
  }
}

TEST(Solver, EqualsADynamicProgrammeOnMediumTables) {
  std::mt19937 random(2);
  for (int i = 0; i < 40; ++i) {
    const IntegerTable t = random_table(random, 30 + int(random() % 30), 8, i % 2 ? 60 : 500, false);
    std::int64_t budget = 0, spread = 0;
    for (const auto& layer : t.layers) {
      const auto [least, most] = std::ranges::minmax(layer, {}, &IntegerTable::Option::latency);
      budget += least.latency;
      spread += most.latency - least.latency;
    }
    budget += spread * (1 + i % 4) / 8;
    const std::int64_t want = dynamic_programme(t, budget)[std::size_t(budget)];
    const Solution s = solve(t.table(), double(budget) / 1000);
    EXPECT_EQ(sums(t, s.choice).cost, want) << i;
    EXPECT_LE(sums(t, s.choice).latency, budget) << i;
  }
}

TEST(Solver, EqualsADynamicProgrammeWhereCostsFollowLatencies) {
  // Hard for bounds: every layer trades cost for latency at the same rate.
  std::mt19937 random(3);
  for (int i = 0; i < 10; ++i) {
    IntegerTable t;
    for (int l = 0; l < 25; ++l) {
      t.ties.emplace_back();
      auto& row = t.layers.emplace_back();
      for (int o = 0; o < 4; ++o) {
        const auto latency = std::int64_t(1 + random() % 200);
        row.push_back({fmt::format("o{}", o), 300 - latency + std::int64_t(random() % 3), latency});
      }
    }
    const std::int64_t budget = 2600;
    const Solution s = solve(t.table(), double(budget) / 1000);
    EXPECT_EQ(sums(t, s.choice).cost, dynamic_programme(t, budget)[std::size_t(budget)]);
  }
}

TEST(Solver, AddsDecimalsAsWrittenOnPaper) {
  // In binary 0.1 + 0.1 + 0.1 > 0.3, and 0.7 + 0.1 < 0.8.
  CostTable table;
  for (int i = 0; i < 3; ++i)
    table.layers.push_back({fmt::format("l{}", i), "", {{"slow", 0, 0.1}, {"fast", 1, 0.05}}});
  EXPECT_EQ(solve(table, 0.3).cost, 0);
  EXPECT_EQ(solve(table, 0.3).latency_ms, 0.3);
  EXPECT_EQ(solve(table, std::nextafter(0.3, 0)).cost, 1);
  const CostTable two{{{"a", "", {{"x", 0, 0.7}}}, {"b", "", {{"x", 0, 0.1}, {"y", 5, 0}}}}};
  EXPECT_EQ(solve(two, std::nextafter(0.8, 0)).cost, 5);
  EXPECT_EQ(solve(two, 0.8).cost, 0);
}

TEST(Solver, ItsLatenciesAreBudgetsThatItMeets) {
  std::mt19937_64 random(4);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (int i = 0; i < 50; ++i) {
    CostTable table;
    for (int l = 0; l < 20; ++l)
      table.layers.push_back(
          {fmt::format("l{}", l), "", {{"a", uniform(random), uniform(random)}, {"b", 0, uniform(random)}}});
    const LatencyRange range = latency_range(table);
    const Solution least = solve(table, range.least_ms);
    EXPECT_EQ(least.latency_ms, range.least_ms);
    EXPECT_THROW(solve(table, range.least_ms * (1 - 1e-12)), Error);
    EXPECT_EQ(solve(table, range.free_ms).choice, solve(table, 1e300).choice);
    const Solution s = solve(table, (range.least_ms + range.free_ms) / 2);
    EXPECT_EQ(solve(table, s.latency_ms).choice, s.choice);
  }
}

TEST(Solver, TakesCostsOfAnySizeAndSign) {
  const CostTable table{
      {{"a", "", {{"x", -1e-30, 1}, {"y", 0, 1}}}, {"b", "", {{"x", 1e5, 1}, {"y", -1e5, 2}}}}};
  EXPECT_EQ(solve(table, 3).choice, (std::vector<int>{0, 1}));
  EXPECT_EQ(solve(table, 2).choice, (std::vector<int>{0, 0}));
  EXPECT_EQ(solve(table, 3).cost, -1e5);
}

TEST(Solver, SaysTheLeastLatencyWhenTheBudgetIsTooSmall) {
  const CostTable table{{{"a", "", {{"x", 0, 0.5}, {"y", 1, 0.25}}}, {"b", "", {{"x", 0, 1}}}}};
  for (const double budget : {1.2, 0.0, -3.0}) {
    try {
      solve(table, budget);
      ADD_FAILURE();
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find("the least that can be met is 1.25 ms"), std::string::npos)
          << e.what();
    }
  }
  EXPECT_THROW(solve(table, std::nan("")), Error);
  EXPECT_THROW(solve(table, HUGE_VAL), Error);
}

TEST(Solver, RefusesLatenciesItCannotAddExactly) {
  const CostTable table{{{"a", "", {{"x", 0, 1e20}}}, {"b", "", {{"x", 0, 1.5e-20}}}}};
  EXPECT_THROW(solve(table, 1e21), Error);
}

// The double nearest to 10^33 lies below it, so the sum of the decimals has one digit more than that of the
// doubles.
TEST(Solver, EndsOnLatenciesOfAnySize) {
  const CostTable wide{{{"a", "", {{"x", 0, 1e33}}}, {"b", "", {{"x", 0, 5e-4}}}}};
  EXPECT_THROW(latency_range(wide), Error);
  const CostTable large{{{"a", "", {{"x", 0, 1e33}}}, {"b", "", {{"x", 0, 5e-3}}}}};
  EXPECT_GE(latency_range(large).least_ms, 1e33);
  const CostTable infinite{{{"a", "", {{"x", 0, 1e308}}}, {"b", "", {{"x", 0, 1e308}}}}};
  EXPECT_TRUE(std::isinf(latency_range(infinite).least_ms));
  const CostTable tiny{{{"a", "", {{"x", 0, 1e-43}}}, {"b", "", {{"x", 0, 0}}}}};
  EXPECT_EQ(solve(tiny, 1e-43).latency_ms, 1e-43);
}

TEST(Solver, RefusesWhatItWouldNotFinish) {
  // cost = constant - latency with 17 random digits: every subset is on the frontier.
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> uniform(0, 1);
  CostTable table;
  for (int i = 0; i < 60; ++i) {
    const double a = uniform(random), b = uniform(random);
    table.layers.push_back({fmt::format("l{}", i), "", {{"a", 1 - a, a}, {"b", 1 - b, b}}});
  }
  EXPECT_THROW(solve(table, 29.5), Error);
}

TEST(Solver, RefusesIllegalTables) {
  EXPECT_THROW(solve({}, 1), Error);
  EXPECT_THROW(solve({{{"a", "", {}}}}, 1), Error);
  EXPECT_THROW(solve({{{"a", "", {{"x", 0, -1}}}}}, 1), Error);
  EXPECT_THROW(solve({{{"a", "", {{"x", std::nan(""), 1}}}}}, 1), Error);
  EXPECT_THROW(solve({{{"a", "", {{"x", 0, HUGE_VAL}}}}}, 1), Error);
  EXPECT_THROW(solve({{{"a", "", {{"x", 0, 1}, {"x", 0, 1}}}}}, 1), Error);
  EXPECT_THROW(solve({{{"a", "", {{"x", 0, 1}}}, {"a", "", {{"x", 0, 1}}}}}, 1), Error);
  EXPECT_THROW(solve({{{"a", "t", {{"x", 0, 1}}}, {"b", "t", {{"y", 0, 1}}}}}, 1), Error);
}

TEST(Solver, NeedsMillisecondsForTwoHundredLayers) {
  std::mt19937_64 random(6);
  std::uniform_real_distribution<double> uniform(0, 1);
  CostTable table;
  for (int l = 0; l < 200; ++l) {
    TableLayer layer{fmt::format("l{}", l), "", {}};
    const double base = std::exp(2 * uniform(random)), sensitivity = std::exp(3 * uniform(random));
    for (int o = 0; o < 12; ++o)
      layer.options.push_back({fmt::format("o{}", o), sensitivity * std::pow(2, o) * (0.5 + uniform(random)),
                               base / (1 + 0.3 * o * uniform(random))});
    table.layers.push_back(layer);
  }
  const LatencyRange range = latency_range(table);
  const auto start = std::chrono::steady_clock::now();
  solve(table, (range.least_ms + range.free_ms) / 2);
  EXPECT_LT(std::chrono::steady_clock::now() - start,
            std::chrono::seconds(2));  // 5 ms, with room for sanitizers
}

TEST(ParetoCurve, RunsFromTheFastestToTheCheapestChoice) {
  const CostTable table =
      read_table(std::string(TWOFOUR_SOURCE_DIR) + "/data/networks/hawqv3_resnet50_table.csv");
  const std::vector<Solution> curve = pareto_curve(table, 40);
  ASSERT_GT(curve.size(), 10u);
  EXPECT_EQ(curve.front().latency_ms, latency_range(table).least_ms);
  EXPECT_NEAR(curve.back().cost, 0.003050, 5e-7);
  for (std::size_t i = 1; i < curve.size(); ++i) {
    EXPECT_GT(curve[i].latency_ms, curve[i - 1].latency_ms);
    EXPECT_LT(curve[i].cost, curve[i - 1].cost);
  }
  const std::vector<double> budgets{10.814006, 9, 9};
  const std::vector<Solution> some = pareto_curve(table, budgets);
  ASSERT_EQ(some.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(some[i].choice, solve(table, budgets[i]).choice);
  EXPECT_THROW(pareto_curve(table, 1), Error);
}

}  // namespace
}  // namespace twofour::nas
