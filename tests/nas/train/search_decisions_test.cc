#include "twofour/nas/train/search_decisions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "error_of.h"
#include "twofour/nas/train/space_decisions.h"
#include "twofour/nas/train/trainer.h"

namespace twofour::nas {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using Kind = SupernetDecision::Kind;

/// resnet_small(1, 16, 1, 8): stem, three blocks, classifier.
ModelSpec spec() {
  return model_spec(resnet_small(1, 16, 1, 8));
}

const std::vector<Quantiser> three{{Precision::f16}, integer_quantiser(8, 8), integer_quantiser(4, 4)},
    two{{Precision::f16}, integer_quantiser(8, 8)};

/// An option a layer; a kernel; one width for stage 1, which the block's layers both read and write.
std::vector<SupernetDecision> decisions() {
  std::vector<SupernetDecision> list;
  for (int i = 0; i < int(spec().layers.size()); ++i)
    list.push_back({Kind::option, fmt::format("option {}", i), {i}, i < 3 ? three : two, {}});
  list.push_back({Kind::kernel, "kernel", {1}, {}, {1, 3}});
  list.push_back({Kind::width, "width", {0, 1, 2}, {}, {8, 16}});
  return list;
}

/// Any function of what the layer depends on.
double us(int layer, const std::vector<int>& candidate) {
  const int n = int(candidate.size());
  double value = 1 + 0.1 * layer + (layer % 3 + 1) * candidate[std::size_t(layer)];
  if (layer == 1) value *= 1 + 2.5 * candidate[std::size_t(n - 2)];
  if (layer <= 3) value *= 1 + 0.7 * candidate[std::size_t(n - 1)] * (layer + 1);
  return value;
}

Probabilities random_probabilities(const std::vector<SupernetDecision>& list) {
  std::mt19937 random(4);
  Probabilities all;
  for (const SupernetDecision& d : list) {
    std::vector<double> p;
    double sum = 0;
    for (int i = 0; i < d.count(); ++i) sum += p.emplace_back(1 + random() % 100);
    for (double& v : p) v /= sum;
    all.push_back(p);
  }
  return all;
}

TEST(SearchDecisions, ALayerDependsOnWhatItReadsAndWrites) {
  const auto list = decisions();
  const int n = int(list.size()), kernel = n - 2, width = n - 1;
  EXPECT_THAT(decisions_of_layer(spec(), list, 0), ElementsAre(0, width));
  EXPECT_THAT(decisions_of_layer(spec(), list, 1), ElementsAre(1, kernel, width));
  EXPECT_THAT(decisions_of_layer(spec(), list, 2), ElementsAre(2, width));
  EXPECT_THAT(decisions_of_layer(spec(), list, 3), ElementsAre(3, width));
  EXPECT_THAT(decisions_of_layer(spec(), list, 5), ElementsAre(5));
}

/// All candidates one by one: latency times probability.
TEST(SearchDecisions, ExpectedLatencyIsTheMeanOverAllCandidates) {
  const auto list = decisions();
  const LatencyTerms terms = latency_terms(spec(), list, us);
  const Probabilities p = random_probabilities(list);
  std::vector<int> candidate(list.size(), 0);
  double mean = 0;
  bool more = true;
  while (more) {
    double latency = 0, probability = 1;
    for (int layer = 0; layer < int(spec().layers.size()); ++layer) latency += us(layer, candidate);
    for (std::size_t d = 0; d < list.size(); ++d) probability *= p[d][std::size_t(candidate[d])];
    ASSERT_DOUBLE_EQ(candidate_latency(terms, list, candidate), latency);
    mean += probability * latency;
    more = false;
    for (std::size_t d = 0; d < list.size() && !more; ++d) {
      more = ++candidate[d] < list[d].count();
      if (!more) candidate[d] = 0;
    }
  }
  EXPECT_NEAR(expected_latency(terms, p, nullptr), mean, 1e-9 * mean);
}

TEST(SearchDecisions, DerivativeOfTheLatencyIsTheDifferenceQuotient) {
  const auto list = decisions();
  const LatencyTerms terms = latency_terms(spec(), list, us);
  const Probabilities p = random_probabilities(list);
  Probabilities slope;
  expected_latency(terms, p, &slope);
  for (std::size_t d = 0; d < p.size(); ++d)
    for (std::size_t i = 0; i < p[d].size(); ++i) {
      Probabilities up = p, down = p;
      up[d][i] += 1e-3;
      down[d][i] -= 1e-3;
      const double quotient =
          (expected_latency(terms, up, nullptr) - expected_latency(terms, down, nullptr)) / 2e-3;
      EXPECT_NEAR(slope[d][i], quotient, 1e-6 * std::abs(quotient)) << d << " " << i;
    }
}

TEST(SearchDecisions, WhatIsIllegalIsRefused) {
  const auto check = [](const std::function<void(std::vector<SupernetDecision>&)>& change) {
    auto list = decisions();
    change(list);
    return error_of([&] { check_decisions(spec(), list, {}); });
  };
  EXPECT_EQ(check([](auto&) {}), "");
  EXPECT_THAT(check([](auto& l) { l[4].layers = {3}; }), HasSubstr("2 decisions of kind option"));
  EXPECT_THAT(check([](auto& l) { l[4].layers = {}; }),
              AllOf(HasSubstr(spec().layers[4].name), HasSubstr("0 dec")));
  EXPECT_THAT(check([](auto& l) { l[4].layers = {99}; }), HasSubstr("layer 99"));
  EXPECT_THAT(check([](auto& l) { l[4].quantisers = {}; }), HasSubstr("nothing to choose"));
  EXPECT_THAT(check([](auto& l) { l.back().sizes = {16, 8}; }), HasSubstr("must rise"));
  EXPECT_THAT(check([](auto& l) { l.back().sizes = {8, 12}; }), HasSubstr("must end at 16"));
  EXPECT_THAT(check([](auto& l) { l.back().layers = {0}; }), HasSubstr("residual"));
  EXPECT_THAT(check([](auto& l) { l[l.size() - 2].sizes = {2, 3}; }), HasSubstr("odd"));
  EXPECT_THAT(check([](auto& l) { l[0].quantisers = {integer_quantiser(8, 8, true)}; }),
              HasSubstr("multiple of 4"));
  auto list = decisions();
  EXPECT_THAT(error_of([&] {
                check_decisions(spec(), list, {{{0}, {1.0, 2.0}}});
              }),
              AllOf(HasSubstr("2 entries"), HasSubstr("3 combinations")));
}

TEST(SearchDecisions, SpacesBecomeQuantisersAndSizes) {
  Space space{"test", resnet_small(1, 16, 1, 8), {}};
  space.decisions.push_back({DecisionKind::option, "a", {1, 2}, {Option::fp16_sparse, Option::int4}, {}});
  space.decisions.push_back({DecisionKind::kernel, "b", {1}, {}, {1, 3}});
  space.decisions.push_back({DecisionKind::width, "c", {0, 2}, {}, {8, 16}});
  const auto list = supernet_decisions(space);
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[0].kind, Kind::option);
  EXPECT_THAT(list[0].layers, ElementsAre(1, 2));
  EXPECT_THAT(list[0].quantisers, ElementsAre(Quantiser{Precision::f16, true}, integer_quantiser(4, 4)));
  EXPECT_EQ(list[1].kind, Kind::kernel);
  EXPECT_EQ(list[2].kind, Kind::width);
  EXPECT_THAT(list[2].sizes, ElementsAre(8, 16));
  EXPECT_EQ(list[2].name, "c");
}

}  // namespace
}  // namespace twofour::nas
