#include "twofour/nas/train/fake_quant.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

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

/// A fixed mask need not be that of the magnitudes.
TEST(FakeQuantWeight, TakesTheMaskThatItIsGiven) {
  const Tensor w = torch::tensor({0.6f, 1.2f, 1.4f, 0.7f}).view({1, 4, 1, 1}).set_requires_grad(true);
  const Tensor mask = torch::tensor({1.0f, 0.0f, 0.0f, 1.0f}).view({1, 4, 1, 1});
  for (Quantiser q : {integer_quantiser(8, 8, true), Quantiser{Precision::f16, true}}) {
    w.mutable_grad() = Tensor();
    const Tensor y = quantise_weight(w, torch::tensor({0.1f}), q, {{0, 0}, mask});
    EXPECT_TRUE(torch::allclose(y.flatten(), torch::tensor({0.6f, 0.0f, 0.0f, 0.7f}), 1e-3)) << y;
    y.backward(torch::tensor({1.0f, 2.0f, 3.0f, 4.0f}).view({1, 4, 1, 1}));
    EXPECT_TRUE(torch::equal(w.grad().flatten(), torch::tensor({1.0f, 0.0f, 0.0f, 4.0f}))) << w.grad();
  }
}

/// Pruned weights receive that share of the gradient, kept ones all of it; a dense layer has none.
TEST(FakeQuantWeight, AnnealedMasksPassAShareOfTheGradient) {
  const Tensor w = torch::tensor({0.6f, 1.2f, 1.4f, 0.7f}).view({1, 4, 1, 1}).set_requires_grad(true);
  const auto gradient = [&](Quantiser q) {
    w.mutable_grad() = Tensor();
    quantise_weight(w, torch::tensor({1.0f}), q, {{0.25f, 0}, {}})
        .backward(torch::tensor({1.0f, 2.0f, 3.0f, 4.0f}).view({1, 4, 1, 1}));
    return w.grad().flatten();
  };
  const Tensor expected = torch::tensor({0.25f, 2.0f, 3.0f, 1.0f});
  for (Precision p : {Precision::f32, Precision::f16, Precision::bf16})
    EXPECT_TRUE(torch::equal(gradient({p, true}), expected)) << int(p);
  EXPECT_TRUE(torch::equal(gradient(integer_quantiser(8, 8, true)), expected));
  EXPECT_TRUE(torch::equal(gradient({Precision::tf32, true}), torch::tensor({0.25f, 2.0f, 3.0f, 1.0f})));
  EXPECT_TRUE(torch::equal(gradient(integer_quantiser(8, 8)), torch::tensor({1.0f, 2.0f, 3.0f, 4.0f})));
}

/// The largest magnitudes are chosen before anything is rounded: 4.4 and 4.3 beat 4.2 though all become 4.
TEST(FakeQuantWeight, EverySparseFormIsChosenBeforeRounding) {
  const Tensor w = torch::tensor({4.2f, 4.3f, 4.4f, 4.1f}).view({1, 4, 1, 1});
  const Tensor y = quantise_weight(w, torch::tensor({1.0f}), integer_quantiser(8, 8, true));
  EXPECT_TRUE(torch::equal(y.flatten(), torch::tensor({0.0f, 4.0f, 4.0f, 0.0f}))) << y;
  const Tensor t = quantise_weight(torch::tensor({1.00001f, 1.00002f}).view({1, 2, 1, 1}), torch::ones({1}),
                                   {Precision::tf32, true});
  EXPECT_TRUE(torch::equal(t.flatten(), torch::tensor({0.0f, 1.0f}))) << t;
  // Pairs: sums 2.1, 2.0, 2.2, 1.9; rounded, all weights are 1.
  const Tensor p = torch::tensor({1.2f, 0.9f, 1.1f, 0.9f, 1.3f, 0.9f, 1.0f, 0.9f}).view({1, 8, 1, 1});
  const Tensor z = quantise_weight(p, torch::tensor({1.0f}), integer_quantiser(4, 4, true));
  EXPECT_TRUE(torch::equal(z.flatten(), torch::tensor({1.0f, 1.0f, 0.0f, 0.0f, 1.0f, 1.0f, 0.0f, 0.0f})))
      << z;
}

/// The step's gradient by the definition of LSQ: code - w / step inside, the clipped code outside, nothing
/// for pruned weights, over sqrt(K * levels).
TEST(FakeQuantWeight, StepGradientIsThatOfLsq) {
  const Tensor w = torch::tensor({0.7f, -9.0f, 0.2f, 0.1f}).view({1, 4, 1, 1});
  const Tensor g = torch::tensor({1.0f, 2.0f, 5.0f, 7.0f}).view({1, 4, 1, 1});
  const Tensor step = torch::tensor({0.5f}).set_requires_grad(true);
  quantise_weight(w, step, {Precision::integer, true, 3, 3}).backward(g);
  EXPECT_NEAR(step.grad().item<float>(), (1 * (1 - 1.4) + 2 * -3.0) / std::sqrt(4.0 * 3), 1e-6);
}

/// WRPN as the paper writes it: round((2^(p-1) - 1) clip(w, -1, 1)) / (2^(p-1) - 1) and
/// round((2^q - 1) clip(x, 0, 1)) / (2^q - 1), away from half codes.
TEST(FakeQuant, WrpnIsThePapersFormula) {
  torch::manual_seed(3);
  const Tensor values = torch::randn({1, 512, 1, 1}) * 0.8;
  for (int bits = 2; bits <= 8; ++bits) {
    Quantiser q = integer_quantiser(bits, bits);
    q.steps = StepRule::wrpn;
    const double weights = std::exp2(bits - 1) - 1, activations = std::exp2(bits) - 1;
    const Tensor w =
        quantise_weight(values, torch::tensor({weight_step(values.data_ptr<float>(), 512, q)}), q);
    EXPECT_TRUE(torch::allclose(w, torch::round(torch::clamp(values, -1, 1) * weights) / weights, 0, 1e-6))
        << bits;
    const Tensor x = quantise_input(values, torch::tensor({activation_step({}, q)}), q);
    EXPECT_TRUE(
        torch::allclose(x, torch::round(torch::clamp(values, 0, 1) * activations) / activations, 0, 1e-6))
        << bits;
  }
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

TEST(FakeQuantInput, SingleBitsAreZeroOrTheStep) {
  const Tensor x = torch::tensor({0.0f, 0.24f, 0.25f, 7.0f}).view({1, 4, 1, 1});
  const Tensor y = quantise_input(x, torch::tensor({0.5f}), integer_quantiser(1, 1)).flatten();
  EXPECT_TRUE(torch::equal(y, torch::tensor({0.0f, 0.0f, 0.5f, 0.5f}))) << y;
}

/// The nearest multiple of 2^(exponent - fraction), or of the least subnormal's unit; ties away from zero or
/// to even.
float nearest_float(float x, int fraction, bool ties_away) {
  if (x == 0 || !std::isfinite(x)) return x;
  const int unit = std::max(std::ilogb(x), -126) - fraction;
  const double scaled = std::ldexp(double(x), -unit);
  const double rounded = ties_away ? std::round(scaled) : std::nearbyint(scaled);
  return float(std::ldexp(rounded, unit));  // 2^128 becomes infinity
}

/// Every exponent, both signs, and fractions around every tie of the upper bits and at both ends.
std::vector<float> hard_to_round(int dropped) {
  std::vector<float> values;
  const std::uint32_t half = 1u << (dropped - 1), top = (1u << 23) - 1;
  for (std::uint32_t exponent = 0; exponent < 255; ++exponent)
    for (std::uint32_t upper : {0u, 1u, 2u, 3u, 64u, (top >> dropped) - 1, top >> dropped})
      for (std::uint32_t lower : {0u, 1u, half - 1, half, half + 1, 2 * half - 1})
        for (std::uint32_t sign : {0u, 1u}) {
          const std::uint32_t word = sign << 31 | exponent << 23 | upper << dropped | lower;
          float value;
          std::memcpy(&value, &word, sizeof value);
          values.push_back(value);
        }
  values.insert(values.end(), {INFINITY, -INFINITY});
  return values;
}

void expect_rounded(Precision precision, int fraction, bool ties_away) {
  std::vector<float> values = hard_to_round(23 - fraction);
  const Tensor x = torch::from_blob(values.data(), {std::int64_t(values.size())}, torch::kFloat);
  const Tensor y = quantise_input(x, torch::ones({1}), {precision});
  std::vector<float> codes(values.size());
  weight_codes(values.data(), std::int64_t(values.size()), 1, {precision}, codes.data());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float expected = nearest_float(values[i], fraction, ties_away);
    ASSERT_EQ(y.data_ptr<float>()[i], expected) << std::hexfloat << values[i];
    ASSERT_EQ(codes[i], expected) << std::hexfloat << values[i];
    ASSERT_EQ(std::signbit(codes[i]), std::signbit(expected)) << std::hexfloat << values[i];
  }
}

TEST(FakeQuantInput, Bf16RoundsToNearestEvenAtEveryExponent) {
  expect_rounded(Precision::bf16, 7, false);
}
TEST(FakeQuantInput, Tf32RoundsTiesAwayFromZeroAtEveryExponent) {
  expect_rounded(Precision::tf32, 10, true);
}

TEST(FakeQuantInput, NanStaysNanInEveryPrecision) {
  for (std::uint32_t word : {0x7fc00000u, 0xffffffffu, 0x7fffffffu, 0x7f800001u}) {
    float nan;
    std::memcpy(&nan, &word, sizeof nan);
    const Tensor x = torch::full({1, 1, 1, 1}, nan);
    for (Quantiser q : {Quantiser{Precision::f16}, Quantiser{Precision::bf16}, Quantiser{Precision::tf32},
                        integer_quantiser(8, 8)})
      EXPECT_TRUE(std::isnan(quantise_input(x, torch::ones({1}), q).item<float>())) << std::hex << word;
    EXPECT_TRUE(std::isnan(round_tf32(nan))) << std::hex << word;
  }
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

TEST(FakeQuant, BitsDoNotDependOnTheNumberOfThreads) {
  torch::manual_seed(11);
  const Tensor image = torch::rand({16, 32, 14, 14}), gx = torch::randn_like(image);
  const Tensor weight = torch::randn({64, 32, 3, 3}).contiguous(torch::MemoryFormat::ChannelsLast),
               gw = torch::randn_like(weight);
  const auto all = [&](int threads) {
    torch::set_num_threads(threads);
    const Tensor x = image.clone().set_requires_grad(true), w = weight.clone().set_requires_grad(true),
                 sx = torch::tensor({0.05f}).set_requires_grad(true),
                 sw = torch::full({64}, 0.3f).set_requires_grad(true);
    const Quantiser q = integer_quantiser(4, 4, true);
    const Tensor y = quantise_input(x, sx, q), v = quantise_weight(w, sw, q);
    y.backward(gx);
    v.backward(gw);
    return std::vector<Tensor>{y, v, x.grad(), w.grad(), sx.grad(), sw.grad()};
  };
  const int before = torch::get_num_threads();
  const auto one = all(1), three = all(3);
  torch::set_num_threads(before);
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(torch::equal(one[i], three[i])) << i;
}

}  // namespace
}  // namespace twofour::nas
