#include "twofour/nas/search/uncertainty.h"

#include <gtest/gtest.h>

#include <cmath>

#include "random_spaces.h"
#include "twofour/isa/error.h"
#include "twofour/nas/search/space_problem.h"
#include "twofour/nas/space/space_file.h"

namespace twofour::nas {
namespace {

/// One inner layer with int8, int8-2:4 and fp16, between edges of no latency.
struct Single {
  Space space;
  DecisionCosts costs;

  Single() {
    Network n;
    n.name = "single";
    for (const char* name : {"first", "inner", "last"}) {
      Layer l;
      l.name = name;
      const int side = n.layers.size() == 1 ? 4 : 2;
      l.shape = {1, side, side, 16, 16, 1, 1, 1, 0};
      l.input = int(n.layers.size());
      n.layers.push_back(l);
    }
    space = parse_space(
        "schema = 1\nkind = \"msps\"\nmenu = [\"fp16\", \"int8\", \"int8-2:4\"]\nedge_menu = [\"int8\"]\n",
        "single", n);
    costs = {{0}, {0, 1, 3}, {0}};
  }

  static emu::Latency latency(const Layer& layer, Option option) {
    emu::Latency l;
    if (layer.shape.height != 4) return l;
    switch (option) {  //                              low  expected  high
      case Option::fp16: l.low_us = 8, l.microseconds = 12, l.high_us = 16; break;
      case Option::int8: l.low_us = 6, l.microseconds = 9, l.high_us = 12; break;
      default: l.low_us = 4, l.microseconds = 8, l.high_us = 9; break;
    }
    return l;
  }
};

TEST(Band, HandComputed) {
  const Single s;
  const SpaceLatency latency(s.space, Single::latency);
  // The budget of 9 us takes int8 (index 1). The uniform sparse network takes 8 us; at the ends 4, 9, 4, 9.
  const auto outcomes = survives_band(s.space, latency, s.costs, 9, {0, 1, 0});
  ASSERT_EQ(outcomes.size(), 4u);
  const double budgets[] = {4.5, 10.125, 4.5, 10.125}, choice[] = {6, 12, 12, 6};
  const int best[] = {2, 2, 2, 0};  // 10.125 us take fp16 only where dense options are fast (8 us)
  for (std::size_t i = 0; i < 4; ++i) {
    SCOPED_TRACE(outcomes[i].name);
    EXPECT_DOUBLE_EQ(outcomes[i].budget_us, budgets[i]);
    EXPECT_DOUBLE_EQ(outcomes[i].choice_us, choice[i]);
    EXPECT_EQ(outcomes[i].choice_meets, i == 3);
    EXPECT_EQ(outcomes[i].optimum->candidate, (Candidate{0, best[i], 0}));
    EXPECT_EQ(outcomes[i].differing, 1);
  }
  EXPECT_FALSE(outcomes[0].regret.has_value());
  EXPECT_DOUBLE_EQ(outcomes[3].regret.value(), 1);
}

/// Without a band nothing changes, whatever the choice.
TEST(Band, AnEmptyBandChangesNothing) {
  std::mt19937 random(41);
  const RandomSpace s = random_space(random, true);
  const SpaceLatency latency(s.space, [&](const Layer& l, Option o) {
    emu::Latency made = made_up_latency(l, o, s.salt);
    made.low_us = made.high_us = made.microseconds;
    return made;
  });
  const double budget = 1.5 * latency.us(fastest_candidate(s.space, latency, 1e6));
  const Candidate choice = exact_choice(s.space, latency, s.costs, budget).candidate;
  for (const BandOutcome& o : survives_band(s.space, latency, s.costs, budget, choice)) {
    EXPECT_EQ(o.differing, 0);
    EXPECT_TRUE(o.choice_meets);
    EXPECT_EQ(o.regret.value(), 0);
  }
}

TEST(Band, RegretIsNeverNegative) {
  std::mt19937 random(42);
  int differing = 0;
  for (int i = 0; i < 40; ++i) {
    const RandomSpace s = random_space(random, i % 2 == 0);
    const SpaceLatency latency(s.space,
                               [&](const Layer& l, Option o) { return made_up_latency(l, o, s.salt); });
    const double budget = 1.3 * latency.us(fastest_candidate(s.space, latency, 1e6));
    const Candidate choice = exact_choice(s.space, latency, s.costs, budget).candidate;
    for (const BandOutcome& o : survives_band(s.space, latency, s.costs, budget, choice)) {
      EXPECT_GE(o.regret.value_or(0), 0);
      if (o.optimum) {
        EXPECT_LE(o.optimum->latency_us, o.budget_us);
      }
      differing += o.differing;
    }
  }
  EXPECT_GT(differing, 0);
}

}  // namespace
}  // namespace twofour::nas
