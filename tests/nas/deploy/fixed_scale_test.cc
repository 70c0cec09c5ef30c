#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "twofour/isa/error.h"
#include "twofour/nas/deploy/integer_network.h"

namespace twofour::nas {
namespace {

TEST(FixedScale, HoldsFactorsTo31Bits) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 10000; ++i) {
    const double factor =
        std::ldexp(1 + double(random() % 1000003) / 1000003, int(random() % 60) - 31) * (i % 2 ? 1 : -1);
    const FixedScale s = FixedScale::of(factor);
    ASSERT_GE(s.shift, 1);
    ASSERT_LE(s.shift, 62);
    EXPECT_LE(std::fabs(std::ldexp(double(s.multiplier), -s.shift) / factor - 1), 0x1p-31) << factor;
  }
}

TEST(FixedScale, TakesTheNearestMultipleOfTwoToTheMinus62ForTinyFactors) {
  EXPECT_EQ(FixedScale::of(0x1p-62).multiplier, 1);
  EXPECT_EQ(FixedScale::of(0x1p-62).shift, 62);
  EXPECT_EQ(FixedScale::of(0x1.8p-61).multiplier, 3);
  EXPECT_EQ(FixedScale::of(1e-30).multiplier, 0);
  EXPECT_EQ(FixedScale::of(0).multiplier, 0);
}

TEST(FixedScale, CarriesIntoTheNextPowerOfTwo) {
  // 1 - 2^-40 rounds to 2^31 / 2^31, whose multiplier does not fit: 2^30 / 2^30.
  const FixedScale s = FixedScale::of(1 - 0x1p-40);
  EXPECT_EQ(s.multiplier, 1 << 30);
  EXPECT_EQ(s.shift, 30);
}

TEST(FixedScale, RoundsHalfUp) {
  const FixedScale half = FixedScale::of(0.5);
  EXPECT_EQ(half.apply(3), 2);
  EXPECT_EQ(half.apply(-3), -1);
  EXPECT_EQ(half.apply(-4), -2);
  EXPECT_EQ(FixedScale::of(0.1).apply(INT32_MAX), 214748365);
  EXPECT_EQ(FixedScale::of(1).apply(INT32_MIN), INT32_MIN);
}

TEST(FixedScale, RefusesWhatDoesNotFit) {
  EXPECT_THROW(FixedScale::of(0x1p30), Error);
  EXPECT_THROW(FixedScale::of(-1e300), Error);
  EXPECT_THROW(FixedScale::of(std::nan("")), Error);
  EXPECT_THROW(FixedScale::of(HUGE_VAL), Error);
  EXPECT_EQ(FixedScale::of(0x1p30 - 1).shift, 1);
}

}  // namespace
}  // namespace twofour::nas
