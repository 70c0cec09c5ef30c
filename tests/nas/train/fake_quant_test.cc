#include "twofour/nas/train/fake_quant.h"

#include <gtest/gtest.h>

#include <cmath>

namespace twofour::nas {
namespace {

using torch::Tensor;

Tensor random_weights(std::int64_t out, std::int64_t in, std::int64_t kernel) {
  torch::manual_seed(5);
  return torch::randn({out, in, kernel, kernel}).contiguous(torch::MemoryFormat::ChannelsLast);
}

/// Every group of four along the channels of one kernel position (pairs: of four pairs) keeps two.
void expect_sparse_along_channels(const Tensor& w, std::int64_t width) {
  for (std::int64_t o = 0; o < w.size(0); ++o)
    for (std::int64_t y = 0; y < w.size(2); ++y)
      for (std::int64_t x = 0; x < w.size(3); ++x)
        for (std::int64_t c = 0; c < w.size(1); c += 4 * width) {
          int kept = 0;
          for (std::int64_t g = 0; g < 4; ++g) {
            bool any = false;
            for (std::int64_t i = 0; i < width; ++i)
              any = any || w[o][c + g * width + i][y][x].item<float>() != 0;
            kept += any;
          }
          ASSERT_LE(kept, 2) << o << " " << c << " " << y << " " << x;
        }
}

TEST(FakeQuantWeight, SparseFormsRunAlongTheChannels) {
  const Tensor w = random_weights(3, 16, 3), step = torch::full({3}, 0.05f);
  expect_sparse_along_channels(quantise_weight(w, step, integer_quantiser(8, 8, true)), 1);
  expect_sparse_along_channels(quantise_weight(w, step, {Precision::f16, true}), 1);
  expect_sparse_along_channels(quantise_weight(w, torch::full({3}, 0.3f), integer_quantiser(4, 4, true)), 2);
}

TEST(FakeQuantWeight, IsTheRoundedMultipleOfTheStep) {
  const Tensor w = torch::tensor({0.9f, -0.26f, 0.24f, -9.0f}).view({1, 4, 1, 1});
  const Tensor y = quantise_weight(w, torch::tensor({0.5f}), integer_quantiser(4, 4)).flatten();
  EXPECT_TRUE(torch::equal(y, torch::tensor({1.0f, -0.5f, 0.0f, -3.5f}))) << y;  // codes 2, -1, 0, -7
}

TEST(FakeQuantWeight, SingleBitIsTheSign) {
  const Tensor w = torch::tensor({0.9f, -0.1f, 0.0f, -9.0f}).view({2, 2, 1, 1});
  const Tensor y = quantise_weight(w, torch::tensor({0.5f, 2.0f}), integer_quantiser(1, 1)).flatten();
  EXPECT_TRUE(torch::equal(y, torch::tensor({0.5f, -0.5f, 2.0f, -2.0f}))) << y;
}

TEST(FakeQuantWeight, MasksBeforeItRounds) {
  // 1.4 and 0.6 round to 1 at step 1; by magnitude 1.4 and 1.2 are kept whatever they round to.
  const Tensor w = torch::tensor({0.6f, 1.2f, 1.4f, 0.7f}).view({1, 4, 1, 1});
  const Tensor y = quantise_weight(w, torch::tensor({1.0f}), integer_quantiser(8, 8, true)).flatten();
  EXPECT_TRUE(torch::equal(y, torch::tensor({0.0f, 1.0f, 1.0f, 0.0f}))) << y;
}

TEST(FakeQuantWeight, GradientPassesStraightThroughAndDecaysMaskedWeights) {
  const Tensor w = torch::tensor({0.6f, 1.2f, 1.4f, 0.7f}).view({1, 4, 1, 1}).set_requires_grad(true);
  const Tensor g = torch::tensor({1.0f, 2.0f, 3.0f, 4.0f}).view({1, 4, 1, 1});
  quantise_weight(w, torch::tensor({1.0f}), integer_quantiser(8, 8, true)).backward(g);
  const Tensor expected = torch::tensor({1 + 2e-4f * 0.6f, 2.0f, 3.0f, 4 + 2e-4f * 0.7f});
  EXPECT_TRUE(torch::allclose(w.grad().flatten(), expected, 0, 1e-7)) << w.grad();
}

TEST(FakeQuantWeight, ClippedWeightsGetNoGradient) {
  const Tensor w = torch::tensor({0.9f, -9.0f}).view({1, 2, 1, 1}).set_requires_grad(true);
  quantise_weight(w, torch::tensor({0.5f}), integer_quantiser(4, 4)).sum().backward();
  EXPECT_TRUE(torch::equal(w.grad().flatten(), torch::tensor({1.0f, 0.0f}))) << w.grad();
}

TEST(FakeQuantInput, IsCodeTimesStep) {
  const Tensor x = torch::tensor({0.0f, 0.24f, 0.25f, 1.0f, 99.0f}).view({1, 5, 1, 1});
  const Tensor y = quantise_input(x, torch::tensor({0.5f}), integer_quantiser(4, 4)).flatten();
  EXPECT_TRUE(torch::equal(y, torch::tensor({0.0f, 0.0f, 0.5f, 1.0f, 7.5f}))) << y;
}

TEST(FakeQuantInput, HalvesRoundToNearestEven) {
  const Tensor x =
      torch::tensor({1 + std::ldexp(1.0f, -11), 1 + 3 * std::ldexp(1.0f, -11)}).view({1, 2, 1, 1});
  const Tensor y = quantise_input(x, torch::ones({1}), {Precision::f16}).flatten();
  EXPECT_TRUE(torch::equal(y, torch::tensor({1.0f, 1 + std::ldexp(1.0f, -9)}))) << y;
}

/// LSQ: inside, the gradient of the step is code - x / step; above the range it is the largest code; scaled
/// by 1 / sqrt(elements of an image * levels).
TEST(FakeQuantInput, GradientsAreThoseOfLsq) {
  const Tensor x = torch::tensor({0.7f, 99.0f}).view({1, 2, 1, 1}).set_requires_grad(true);
  const Tensor step = torch::tensor({0.5f}).set_requires_grad(true);
  quantise_input(x, step, integer_quantiser(4, 4)).backward(torch::tensor({2.0f, 3.0f}).view({1, 2, 1, 1}));
  EXPECT_TRUE(torch::equal(x.grad().flatten(), torch::tensor({2.0f, 0.0f}))) << x.grad();
  EXPECT_NEAR(step.grad().item<float>(), (2 * (1 - 1.4) + 3 * 15) / std::sqrt(2.0 * 15), 1e-5);
}

/// Large enough for several units of parallel work.
TEST(FakeQuantInput, LargeTensorsAgreeWithTorchsOwnOperations) {
  torch::manual_seed(9);
  const Tensor x = (torch::rand({4, 33, 31, 29}) * 3)
                       .contiguous(torch::MemoryFormat::ChannelsLast)
                       .set_requires_grad(true);
  const Tensor step = torch::tensor({0.125f}).set_requires_grad(true), g = torch::randn_like(x);
  const Tensor y = quantise_input(x, step, integer_quantiser(4, 4));
  const Tensor codes = torch::clamp(torch::floor(x.detach() * 8 + 0.5), 0, 15);
  EXPECT_TRUE(torch::equal(y, codes * 0.125));
  y.backward(g);
  const Tensor inside = (x.detach() * 8 <= 15).to(torch::kFloat);
  EXPECT_TRUE(torch::equal(x.grad(), g * inside));
  const Tensor slope = torch::where(inside > 0, codes - x.detach() * 8, codes);
  const double expected =
      (g.to(torch::kDouble) * slope).sum().item<double>() / std::sqrt(33.0 * 31 * 29 * 15);
  EXPECT_NEAR(step.grad().item<double>(), expected, 1e-3 * std::abs(expected) + 1e-4);
}

}  // namespace
}  // namespace twofour::nas
