#include "twofour/nas/train/gumbel_shares.h"

#include <gtest/gtest.h>

#include <cmath>

namespace twofour::nas {
namespace {

using torch::Tensor;

std::vector<SupernetDecision> two_decisions() {
  SupernetDecision a, b;
  a.quantisers = {{}, {Precision::f16}, {Precision::bf16}};
  b.kind = SupernetDecision::Kind::width;
  b.sizes = {8, 16};
  return {a, b};
}

/// The tensor behind the shares.
Tensor alpha(const GumbelShares& shares) {
  return shares.named_tensors()[0].second;
}

void set_alpha(const GumbelShares& shares, const std::vector<float>& values) {
  const torch::NoGradGuard no_grad;
  alpha(shares).copy_(torch::tensor(values));
}

/// Gumbel-max: the largest share falls on a value as often as softmax(alpha) says, whatever tau is.
TEST(GumbelShares, TheLargestShareIsDrawnFromSoftmaxOfAlpha) {
  const GumbelShares shares(two_decisions(), 3);
  set_alpha(shares, {0.0f, 1.0f, -0.5f, 0.7f, 0.0f});
  const std::vector<double> odds{1.0, std::exp(1.0), std::exp(-0.5), std::exp(0.7), 1.0};
  const double first = odds[0] + odds[1] + odds[2], second = odds[3] + odds[4];
  constexpr int draws = 4000;
  for (double tau : {0.3, 4.0}) {
    std::vector<int> count(5, 0);
    for (int i = 0; i < draws; ++i) {
      const auto largest = most_probable(to_probabilities(shares.draw(std::uint64_t(i), tau)));
      ++count[std::size_t(largest[0])];
      ++count[std::size_t(3 + largest[1])];
    }
    for (std::size_t i = 0; i < 5; ++i) {
      const double p = odds[i] / (i < 3 ? first : second);
      EXPECT_NEAR(count[i], draws * p, 4.5 * std::sqrt(draws * p * (1 - p))) << i;
    }
  }
}

TEST(GumbelShares, NoiseIsAFunctionOfSeedAndDraw) {
  const GumbelShares a(two_decisions(), 3), again(two_decisions(), 3), other(two_decisions(), 4);
  EXPECT_TRUE(torch::equal(a.draw(5, 1)[0], again.draw(5, 1)[0]));
  EXPECT_FALSE(torch::equal(a.draw(5, 1)[0], a.draw(6, 1)[0]));
  EXPECT_FALSE(torch::equal(a.draw(5, 1)[0], other.draw(5, 1)[0]));
}

TEST(GumbelShares, TauGoesFromEqualSharesToOne) {
  const GumbelShares shares(two_decisions(), 3);
  EXPECT_TRUE(torch::allclose(shares.draw(1, 1e6)[0], torch::full({3}, 1.0 / 3), 0, 1e-4));
  EXPECT_NEAR(shares.draw(1, 1e-3)[0].max().item<double>(), 1, 1e-6);
}

TEST(GumbelShares, CostsAreMinusLogProbabilities) {
  const GumbelShares shares(two_decisions(), 3);
  set_alpha(shares, {0.0f, 1.0f, -0.5f, 0.7f, 0.0f});
  EXPECT_NEAR(shares.costs()[1][0], std::log(std::exp(0.7) + 1) - 0.7, 1e-6);
  EXPECT_NEAR(shares.probabilities()[1][1], 1 / (std::exp(0.7) + 1), 1e-6);
}

TEST(GumbelShares, TheUpdateIsThatOfTorchsAdam) {
  GumbelShares shares(two_decisions(), 3);
  const Tensor twin = torch::zeros({5}).set_requires_grad(true);
  torch::optim::Adam adam({twin}, torch::optim::AdamOptions(0.05).betas({0.5, 0.999}));
  torch::manual_seed(2);
  for (int i = 0; i < 20; ++i) {
    const Tensor g = torch::randn({5});
    shares.zero_grad();
    (alpha(shares) * g).sum().backward();
    shares.update(0.05);
    adam.zero_grad();
    (twin * g).sum().backward();
    adam.step();
  }
  EXPECT_TRUE(torch::allclose(alpha(shares), twin, 1e-5, 1e-6)) << alpha(shares) << twin;
}

}  // namespace
}  // namespace twofour::nas
