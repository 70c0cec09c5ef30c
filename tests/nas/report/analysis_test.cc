#include "twofour/nas/report/analysis.h"

#include <gtest/gtest.h>

#include <cmath>

namespace twofour::nas {
namespace {

NetworkRow row(std::uint64_t seed, std::string group, std::string method, double budget, double us,
               double accuracy) {
  NetworkRow n{.seed = seed, .group = std::move(group), .method = std::move(method), .budget = budget};
  n.latency_us = us;
  n.latency_batch1_us = 10;
  n.accuracy = accuracy;
  return n;
}

Report study() {
  Report r;
  r.seeds = {1, 2};
  r.networks = {row(1, "uniform", "fp16", 0, 100, 0.92),    row(1, "uniform", "int8-2:4", 0, 60, 0.9),
                row(1, "MSPS", "exact", 0.5, 30, 0.898),    row(1, "MSPS", "exact", 0.75, 45, 0.91),
                row(1, "MSPS", "random", 0.5, 30, 0.8979),  row(2, "uniform", "fp16", 0, 100, 0.93),
                row(2, "uniform", "int8-2:4", 0, 60, 0.91), row(2, "MSPS", "exact", 0.5, 30, 0.9),
                row(2, "MSPS", "exact", 0.75, 45, 0.9),     row(2, "MSPS", "random", 0.5, 80, 0.93)};
  r.networks[2].latency_batch1_us = 8;
  r.networks[1].network_us = 63, r.networks[2].network_us = 42;
  return r;
}

const AgainstBaseline& comparison(const std::vector<AgainstBaseline>& rows, std::uint64_t seed,
                                  const std::string& method) {
  for (const AgainstBaseline& a : rows)
    if (a.seed == seed && a.group == "MSPS" && a.method == method) return a;
  throw std::runtime_error("no such row");
}

TEST(Analysis, SpreadIsOfASample) {
  const Spread s = spread({1, 2, 4});
  EXPECT_DOUBLE_EQ(s.mean, 7.0 / 3);
  EXPECT_DOUBLE_EQ(s.deviation, std::sqrt(7.0 / 3));
  EXPECT_EQ(spread({5}).deviation, 0);
  EXPECT_EQ(spread({}).count, 0);
}

TEST(Analysis, SummariesAreOverTheSeeds) {
  const auto list = summaries(study());
  ASSERT_EQ(list.size(), 5u);
  EXPECT_EQ(list[2].method, "exact");
  EXPECT_EQ(list[2].budget, 0.5);
  EXPECT_EQ(list[2].accuracy.count, 2);
  EXPECT_NEAR(list[2].accuracy.mean, 0.899, 1e-12);
}

TEST(Analysis, SpeedupCountsNetworksAtMostTwoTenthsOfAPointWorse) {
  const auto rows = against_baseline(study());
  EXPECT_DOUBLE_EQ(*comparison(rows, 1, "exact").speedup, 2.0);  // 0.898 is 0.2 points below 0.9
  EXPECT_DOUBLE_EQ(*comparison(rows, 1, "exact").speedup_batch1, 1.25);
  EXPECT_DOUBLE_EQ(*comparison(rows, 1, "exact").speedup_network, 1.5);
  EXPECT_FALSE(comparison(rows, 2, "random").speedup_network);  // not timed
  EXPECT_FALSE(comparison(rows, 1, "random").speedup);  // 0.21 points below
  EXPECT_FALSE(comparison(rows, 2, "exact").speedup);
  EXPECT_DOUBLE_EQ(*comparison(rows, 2, "random").speedup, 0.75);
  EXPECT_FALSE(comparison(rows, 2, "").speedup);  // random search is no engine
  EXPECT_NEAR(*comparison(rows, 1, "exact").accuracy_gain, 0.01, 1e-12);
  EXPECT_FALSE(comparison(rows, 2, "random").accuracy_gain);  // slower than the baseline
}

/// Seed 1: reference point (100 us, 0.82). exact: (100 - 30) (0.898 - 0.82) + (100 - 45) (0.91 - 0.898), over
/// 100 * 0.1.
TEST(Analysis, HypervolumeIsTheAreaBelowTheReference) {
  const auto value = [](const std::string& group, const std::string& method) {
    for (const Hypervolume& h : hypervolumes(study()))
      if (h.seed == 1 && h.group == group && h.method == method) return h.value;
    return -1.0;
  };
  EXPECT_NEAR(value("MSPS", "exact"), (70 * 0.078 + 55 * 0.012) / 10, 1e-12);
  EXPECT_NEAR(value("MSPS", ""), (70 * 0.078 + 55 * 0.012) / 10, 1e-12);
  EXPECT_NEAR(value("uniform", "int8-2:4"), 40 * 0.08 / 10, 1e-12);
  EXPECT_EQ(value("uniform", "fp16"), 0);
}

TEST(Analysis, ParetoFrontLeavesOutBeatenNetworks) {
  const Report r = study();
  const auto front = pareto_front(r, 1);
  ASSERT_EQ(front.size(), 3u);
  EXPECT_EQ(front[0], &r.networks[2]);
  EXPECT_EQ(front[1], &r.networks[3]);
  EXPECT_EQ(front[2], &r.networks[0]);
}

}  // namespace
}  // namespace twofour::nas
