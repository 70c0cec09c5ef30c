#include "twofour/nas/space/space_latency.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>

#include "twofour/isa/error.h"
#include "twofour/nas/space/space_file.h"
#include "twofour/nas/timing/layer_latency.h"

namespace twofour::nas {
namespace {

std::vector<Candidate> some_candidates(const Space& space, int count) {
  std::vector<Candidate> list;
  std::uint32_t state = 7;
  for (int i = 0; i < count; ++i) {
    list.emplace_back();
    for (const Decision& d : space.decisions)
      list.back().push_back(int((state = state * 1664525u + 1013904223u) >> 8) % d.count());
  }
  return list;
}

TEST(SpaceLatency, EqualsTheModelOfEveryLayer) {
  const Space space = parse_space(default_space_text("asps"), "default", resnet_small(1, 32, 2));
  const isa::Machine machine = isa::load_machine("a100-sxm4-80gb");
  const SpaceLatency latency(space, machine, 32);
  for (const Candidate& c : some_candidates(space, 20)) {
    const Architecture made = architecture(space, c);
    double expected = 0, low = 0, high = 0;
    for (std::size_t l = 0; l < made.options.size(); ++l) {
      const emu::Latency one = layer_latency(made.network.layers[l], made.options[l], 32, machine);
      EXPECT_EQ(latency.layer(c, int(l)).microseconds, one.microseconds);
      expected += one.microseconds;
      low += one.low_us;
      high += one.high_us;
    }
    // Each layer is rounded to 2^-20 us.
    const double rounding = double(made.options.size()) * 0x1p-21 + 1e-9;
    EXPECT_NEAR(latency.us(c), expected, rounding);
    EXPECT_NEAR(latency.us(c, BandEnd::low), low, rounding);
    EXPECT_NEAR(latency.us(c, BandEnd::high), high, rounding);
  }
}

TEST(SpaceLatency, EqualLayersAreComputedOnce) {
  const Space space = parse_space("schema = 1\nkind = \"msps\"\nmenu = [\"int8\"]\nedge_menu = [\"int8\"]\n",
                                  "one", resnet_small(3, 16, 1));
  std::atomic<int> calls = 0;
  const SpaceLatency latency(space, [&](const Layer&, Option) {
    ++calls;
    emu::Latency l;
    l.microseconds = 1;
    return l;
  });
  EXPECT_EQ(latency.layers(), 22);
  EXPECT_EQ(latency.us(Candidate(space.decisions.size(), 0)), 22);
  // stem, classifier; stage 1: with and without residual; stages 2, 3: those, the first one and the
  // projection.
  EXPECT_EQ(calls, 2 + 2 + 4 + 4);
}

TEST(SpaceLatency, EndsOfTheBandByClass) {
  const Space space =
      parse_space("schema = 1\nkind = \"msps\"\nmenu = [\"int8\", \"int8-2:4\"]\nedge_menu = [\"int8\"]\n",
                  "ends", resnet_small(1, 16, 1));
  const SpaceLatency latency(space, [](const Layer&, Option) {
    emu::Latency l;
    l.low_us = 1;
    l.microseconds = 2;
    l.high_us = 4;
    return l;
  });
  const Candidate dense = uniform_candidate(space, Option::int8, Option::int8),
                  sparse = uniform_candidate(space, Option::int8_sparse, Option::int8);
  const SpaceLatency mixed(latency, BandEnd::high, BandEnd::low);
  // 10 layers, of which the stem and the classifier are dense in any case.
  EXPECT_EQ(latency.us(sparse), 20);
  EXPECT_EQ(mixed.us(dense), 40);
  EXPECT_EQ(mixed.us(sparse), 8 * 1 + 2 * 4);
  EXPECT_EQ(mixed.us(sparse, BandEnd::low), 10);
  EXPECT_EQ(latency.us(sparse, BandEnd::high), 40);
}

TEST(SpaceLatency, NamesTheLayerOfALatencyThatIsNone) {
  const Space space = parse_space(default_space_text("msps"), "default", resnet_small(1, 16, 1));
  for (const double bad : {-1.0, double(NAN), 1e30}) try {
      const SpaceLatency latency(space, [&](const Layer& layer, Option) {
        emu::Latency l;
        if (layer.name == "stage2.block1.proj") l.microseconds = bad;
        return l;
      });
      ADD_FAILURE() << bad;
    } catch (const Error& e) {
      EXPECT_NE(std::string_view(e.what()).find("stage2.block1.proj"), std::string_view::npos) << e.what();
    }
}

TEST(SpaceLatency, AnErrorOfTheModelGetsOut) {
  const Space space = parse_space(default_space_text("msps"), "default", resnet_small(1, 16, 1));
  EXPECT_THROW(SpaceLatency(space, [](const Layer&, Option) -> emu::Latency { fail("no such kernel"); }),
               Error);
}

}  // namespace
}  // namespace twofour::nas
