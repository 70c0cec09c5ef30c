#include "twofour/isa/clock.h"

#include <gtest/gtest.h>

#include "twofour/isa/error.h"

namespace twofour::isa {
namespace {

const Machine a100 = load_machine("a100-sxm4-80gb");

TEST(Clock, NamesRoundTripAndTheRestIsRefused) {
  for (const std::string text : {"automatic", "boost", "sustained", "1395"})
    EXPECT_EQ(name(parse_clock(text)), text);
  for (const std::string text : {"", "base", "1395MHz", "99", "3001", "nan", "-1395", "inf"})
    EXPECT_THROW(parse_clock(text), Error) << text;
}

TEST(Clock, BoostLiftsThePowerLimitOnly) {
  const auto m = at_clock(a100, parse_clock("boost"), ElementType::f16);
  EXPECT_EQ(m.boost_mhz, 1410);
  EXPECT_EQ(m.sustained_mhz, 1410);
  EXPECT_EQ(m.l2_read_gbs, a100.l2_read_gbs);
  const auto t4 = at_clock(load_machine("t4"), parse_clock("boost"), ElementType::s8);
  EXPECT_EQ(t4.sustained_integer_mhz, t4.boost_mhz);
}

TEST(Clock, SustainedFollowsTheType) {
  EXPECT_EQ(at_clock(a100, parse_clock("sustained"), ElementType::bf16).boost_mhz, a100.sustained_mhz);
  EXPECT_EQ(at_clock(a100, parse_clock("sustained"), ElementType::s8).boost_mhz, a100.sustained_integer_mhz);
  EXPECT_NE(a100.sustained_mhz, a100.sustained_integer_mhz);
}

// L2 keeps its bytes a cycle; DRAM its bytes a second and, beyond L2, its nanoseconds.
TEST(Clock, LockedClockSlowsTheChipAndNotTheDram) {
  const auto m = at_clock(a100, parse_clock("705"), ElementType::f16);
  EXPECT_EQ(m.boost_mhz, 705);
  EXPECT_EQ(m.sustained_mhz, 705);
  EXPECT_DOUBLE_EQ(m.bytes_per_clk(m.l2_read_gbs), a100.bytes_per_clk(a100.l2_read_gbs));
  EXPECT_EQ(m.dram_read_gbs, a100.dram_read_gbs);
  EXPECT_DOUBLE_EQ((m.dram_latency - m.l2_latency) / 705, (a100.dram_latency - a100.l2_latency) / 1410);
}

}  // namespace
}  // namespace twofour::isa
