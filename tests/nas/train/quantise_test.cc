#include "twofour/nas/train/quantise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "twofour/emu/matrix/sparse_matrix.h"
#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

/// The mask equals the emulator's pruning of the same integers, ties included.
void expect_mask_of_emulator(isa::ElementType type, bool pairs, int largest) {
  std::mt19937 random(7);
  emu::PackedMatrix matrix(type, 16, 64);
  std::vector<float> weights;
  for (int r = 0; r < 16; ++r)
    for (int c = 0; c < 64; ++c) {
      const int w = int(random() % unsigned(2 * largest + 1)) - largest;
      matrix.set_integer(r, c, w);
      weights.push_back(float(w));
    }
  std::vector<float> keep(weights.size());
  magnitude_mask(weights.data(), std::int64_t(weights.size()), pairs, keep.data());
  const emu::PackedMatrix pruned = emu::prune(matrix);
  for (int r = 0; r < 16; ++r)
    for (int c = 0; c < 64; ++c) {
      const std::size_t i = std::size_t(r * 64 + c);
      EXPECT_EQ(pruned.integer(r, c), std::int64_t(weights[i] * keep[i])) << r << ", " << c;
    }
}

TEST(MagnitudeMask, TwoOfFourAsTheEmulatorPrunes) {
  expect_mask_of_emulator(isa::ElementType::s8, false, 5);
}
TEST(MagnitudeMask, FourOfEightInPairsAsTheEmulatorPrunes) {
  expect_mask_of_emulator(isa::ElementType::s4, true, 7);
}

TEST(MagnitudeMask, OddLengthIsRefused) {
  const std::vector<float> w(6, 1.0f);
  std::vector<float> keep(6);
  EXPECT_THROW(magnitude_mask(w.data(), 6, false, keep.data()), Error);
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

TEST(BestStep, OfSingleBitWeightsIsTheMeanMagnitude) {
  const float values[] = {1, -2, 3, -6};
  EXPECT_FLOAT_EQ(best_step(values, 4, 1, true), 3);
}

TEST(ActivationCode, RoundsHalvesUpAndClamps) {
  EXPECT_EQ(activation_code(0.5f, 1, 15), 1);
  EXPECT_EQ(activation_code(0.49f, 1, 15), 0);
  EXPECT_EQ(activation_code(15.6f, 1, 15), 15);
  EXPECT_EQ(activation_code(-3, 1, 15), 0);
}

}  // namespace
}  // namespace twofour::nas
