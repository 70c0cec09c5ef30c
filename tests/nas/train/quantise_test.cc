#include "twofour/nas/train/quantise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

#include "twofour/emu/matrix/sparse_matrix.h"
#include "twofour/emu/numerics/block.h"
#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

using isa::ElementType;

/// Random words of the type's finite values, many of equal magnitude.
emu::PackedMatrix random_matrix(ElementType type) {
  std::mt19937 random(7);
  emu::PackedMatrix matrix(type, 16, 128);
  const bool floats = isa::is_float(type);
  const int fraction = type == ElementType::f16 ? 10 : type == ElementType::bf16 ? 7 : 23;
  for (int r = 0; r < 16; ++r)
    for (int c = 0; c < 128; ++c) {
      if (!floats) {
        const int largest = type == ElementType::s4 ? 7 : 5;
        matrix.set_integer(r, c, int(random() % unsigned(2 * largest + 1)) - largest);
        continue;
      }
      // Three bits of exponent (row 0: the least, so subnormals) and two leading bits of fraction.
      const std::uint64_t exponent = random() % 8 + (r == 0 ? 0 : 12), leading = random() % 4;
      const std::uint64_t sign = random() % 2 << (isa::bits(type) - 1);
      matrix.set_bits(r, c, sign | exponent << fraction | leading << (fraction - 2));
    }
  return matrix;
}

double value_of(const emu::PackedMatrix& m, int row, int col) {
  if (!isa::is_float(m.type())) return double(m.integer(row, col));
  const emu::FloatFormat format = emu::float_format(m.type());
  const emu::Decoded d = emu::decode(format, std::uint32_t(m.bits(row, col)));
  return std::ldexp(d.negative ? -double(d.significand) : double(d.significand),
                    d.exponent - format.fraction_bits);
}

Quantiser sparse_quantiser(ElementType type) {
  switch (type) {
    case ElementType::f16: return {Precision::f16, true};
    case ElementType::bf16: return {Precision::bf16, true};
    case ElementType::tf32: return {Precision::tf32, true};
    case ElementType::s8: return integer_quantiser(8, 8, true);
    default: return integer_quantiser(4, 4, true);
  }
}

/// What is trained is what is deployed: the same weights survive, ties included.
TEST(MagnitudeMask, IsThatOfTheEmulatorForEverySparseType) {
  for (ElementType type :
       {ElementType::f16, ElementType::bf16, ElementType::tf32, ElementType::s8, ElementType::s4}) {
    const emu::PackedMatrix matrix = random_matrix(type), pruned = emu::prune(matrix);
    for (int r = 0; r < 16; ++r) {
      std::vector<float> weights(128), keep(128);
      for (int c = 0; c < 128; ++c) weights[std::size_t(c)] = float(value_of(matrix, r, c));
      magnitude_mask(weights.data(), 128, sparse_form(sparse_quantiser(type)), keep.data());
      for (int c = 0; c < 128; ++c) {
        const std::size_t i = std::size_t(c);
        EXPECT_EQ(value_of(pruned, r, c), double(weights[i]) * double(keep[i]))
            << isa::name(type) << " " << r << ", " << c;
      }
      EXPECT_EQ(std::count(keep.begin(), keep.end(), 1.0f), 64) << isa::name(type);
      EXPECT_EQ(masked_row(weights.data(), 128, sparse_quantiser(type))[5], weights[5] * keep[5]);
    }
  }
}

/// All orders and ties of a group's magnitudes.
TEST(MagnitudeMask, TiesKeepTheLowerIndex) {
  for (int code = 0; code < 256; ++code) {
    float w[4], keep[4];
    for (int i = 0; i < 4; ++i) w[i] = float(code >> (2 * i) & 3) * (i % 2 == 0 ? 1.0f : -1.0f);
    magnitude_mask(w, 4, {4, 1}, keep);
    std::array<int, 4> order{0, 1, 2, 3};
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return std::abs(w[a]) > std::abs(w[b]); });
    for (int rank = 0; rank < 4; ++rank) EXPECT_EQ(keep[order[std::size_t(rank)]], rank < 2 ? 1 : 0) << code;
  }
  const float equal[] = {-2, 2, 1, -3};
  float keep[4];
  magnitude_mask(equal, 4, {2, 1}, keep);
  EXPECT_THAT(keep, testing::ElementsAre(1, 0, 0, 1));
}

TEST(MagnitudeMask, OddLengthIsRefused) {
  const std::vector<float> w(6, 1.0f);
  std::vector<float> keep(6);
  magnitude_mask(w.data(), 6, {2, 1}, keep.data());
  EXPECT_THROW(magnitude_mask(w.data(), 6, {4, 1}, keep.data()), Error);
}

TEST(BestStep, FindsTheGridThatTheValuesLieOn) {
  std::vector<float> values;
  for (int i = -7; i <= 7; ++i) values.push_back(0.25f * float(i));
  EXPECT_FLOAT_EQ(best_step(values.data(), 15, 7, true), 0.25f);
}

TEST(BestStep, ClipsAnOutlier) {
  std::vector<float> values(100000);
  std::mt19937 random(3);
  for (float& v : values) v = float(random() % 1000) / 1000.0f;
  values[0] = 10;
  const float step = best_step(values.data(), 100000, 15, false);
  EXPECT_LT(step, 2.0f / 15);  // 10 / 15 would waste 9 of 10 codes
  EXPECT_GT(step, 0.9f / 15);
}

/// Codes -1, 0, 1. While both large values round to 1 and the small ones to 0 (0.2 < s <= 4) the error is
/// (6 - s)^2 + (2 - s)^2 + 0.04, least at s = 4: 8.04, against 16 and more where the 2 becomes 0 (s > 4)
/// unless s = 6: 4.04. So 6 it is, not the mean magnitude 1.4.
TEST(BestStep, OfTwoBitsIsTernary) {
  const float values[] = {6, -2, 0.1f, 0.1f, -0.1f, 0.1f};
  EXPECT_FLOAT_EQ(best_step(values, 6, 1, true), 6);
}

TEST(WeightStep, OfSingleBitsIsTheMeanMagnitudeWhateverTheRule) {
  const float values[] = {1, -2, 3, -6};
  for (StepRule rule : {StepRule::learned, StepRule::least_square, StepRule::wrpn}) {
    Quantiser q = integer_quantiser(1, 1);
    q.steps = rule;
    EXPECT_FLOAT_EQ(weight_step(values, 4, q), 3);
  }
}

TEST(WeightStep, IsMadeForTheMaskedWeights) {
  // What stays lies on multiples of 1 up to 3, so that the step of 3 bits is 1; the 0.6 and 0.5 would pull it
  // down.
  const float values[] = {3, 0.6f, -1, 0.6f, -3, 2, 0.5f, 0.6f};
  EXPECT_FLOAT_EQ(weight_step(values, 8, integer_quantiser(3, 3, true)), 1);
  EXPECT_NE(weight_step(values, 8, integer_quantiser(3, 3)), 1);
}

/// WRPN: (2^(p-1) - 1) weight codes a unit, 2^q - 1 activation codes.
TEST(WrpnSteps, AreFixedByTheBits) {
  const float weights[] = {0.01f, -0.02f, 0.03f, 5};
  const std::vector<float> values{0.1f, 7};
  for (int bits = 2; bits <= 8; ++bits) {
    Quantiser q = integer_quantiser(bits, bits);
    q.steps = StepRule::wrpn;
    EXPECT_FLOAT_EQ(weight_step(weights, 4, q), float(1 / (std::exp2(bits - 1) - 1))) << bits;
    EXPECT_FLOAT_EQ(activation_step(values, q), float(1 / (std::exp2(bits) - 1))) << bits;
  }
}

TEST(PrunedGradient, OfSrSteIsWholeAndDecays) {
  EXPECT_EQ(pruned_gradient(MaskRule::sr_ste, 7, 9).share, 1);
  EXPECT_EQ(pruned_gradient(MaskRule::sr_ste, 7, 9).decay, 2e-4f);
}
TEST(PrunedGradient, OfFixedMasksIsNone) {
  EXPECT_EQ(pruned_gradient(MaskRule::fixed, 0, 9).share, 0);
  EXPECT_EQ(pruned_gradient(MaskRule::fixed, 0, 9).decay, 0);
}
/// Half a cosine: 1 at the first batch, 3/4 after a third (the cosine of 60 degrees is 1/2), 0 at the last.
TEST(PrunedGradient, OfAnnealedMasksFallsFromOneToZero) {
  const auto share = [](std::int64_t step) { return pruned_gradient(MaskRule::annealed, step, 601).share; };
  EXPECT_EQ(share(0), 1);
  EXPECT_FLOAT_EQ(share(200), 0.75f);
  EXPECT_FLOAT_EQ(share(300), 0.5f);
  EXPECT_FLOAT_EQ(share(400), 0.25f);
  EXPECT_EQ(share(600), 0);
  for (std::int64_t step = 1; step <= 600; ++step) ASSERT_LT(share(step), share(step - 1)) << step;
  EXPECT_EQ(pruned_gradient(MaskRule::annealed, 5, 601).decay, 0);
  EXPECT_EQ(pruned_gradient(MaskRule::annealed, 0, 1).share, 0);
}

TEST(ActivationCode, RoundsHalvesUpAndClamps) {
  EXPECT_EQ(activation_code(0.5f, 1, 15), 1);
  EXPECT_EQ(activation_code(0.49f, 1, 15), 0);
  EXPECT_EQ(activation_code(15.6f, 1, 15), 15);
  EXPECT_EQ(activation_code(-3, 1, 15), 0);
}

}  // namespace
}  // namespace twofour::nas
