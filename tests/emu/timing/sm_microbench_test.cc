// The simulated SM against published microbenchmarks of an A100.
#include "twofour/emu/timing/sm_microbench.h"

#include <gtest/gtest.h>

#include "twofour/emu/timing/mma_measurements.h"
#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

const isa::Machine a100 = isa::load_machine("a100-sxm4-80gb");

MmaLoopTime time(const char* name, int warps, int independent) {
  return time_mma_loop({&isa::find_instruction(name), warps, independent, 512}, a100);
}

TEST(MmaLoop, EveryPublishedNumberWithinFivePercent) {
  const auto rows = load_mma_measurements(TWOFOUR_SOURCE_DIR "/data/timing/mma_latency_a100.csv");
  int compared = 0, doubtful = 0;
  for (const auto& m : rows) {
    if (m.doubtful) {
      ++doubtful;
      continue;
    }
    ++compared;
    EXPECT_NEAR(simulate(m, a100) / m.published, 1, 0.05)
        << isa::short_name(*m.instruction) << " " << m.warps << " x " << m.independent << " "
        << name(m.quantity);
  }
  EXPECT_EQ(compared, 71);
  EXPECT_EQ(doubtful, 1);
}

// "m8n8k16 reaches about half of the peak" (Sun et al., text).
TEST(MmaLoop, SmallestIntegerShapeReachesHalfOfThePeak) {
  const auto t = time("m8n8k16.s32.s8.s8.s32", 8, 6);
  EXPECT_NEAR(t.fma_per_clk / t.peak_fma_per_clk, 0.5, 0.025);
}

// Abdelkhalik et al., HPEC 2022, table 3: 16 cycles an instruction.
TEST(MmaLoop, DoublesTakeSixteenCycles) {
  const auto t = time("m8n8k4.f64.f64.f64.f64", 8, 4);
  EXPECT_NEAR(t.iteration_cycles / 8, 16, 0.05 * 16);
}

// With more warps the strict priority of the youngest lets the oldest finish late and alone.
TEST(MmaLoop, MoreWorkNeverLowersTheThroughputOfUpToTwoWarpsASubCore) {
  for (const char* name :
       {"m16n8k16.f32.f16.f16.f32", "sp.m16n8k16.f32.f16.f16.f32", "m16n8k8.f32.f16.f16.f32"})
    for (int warps : {4, 8}) {
      double last = 0;
      for (int independent = 1; independent <= 6; ++independent) {
        const double now = time(name, warps, independent).fma_per_clk;
        EXPECT_GT(now, 0.97 * last) << name << " " << warps << " x " << independent;
        last = now;
      }
      EXPECT_LE(last, time(name, warps, 1).peak_fma_per_clk);
    }
}

TEST(MmaLoop, SubCoresWorkSideBySide) {
  const double one = time("m16n8k16.f32.f16.f16.f32", 1, 3).fma_per_clk;
  EXPECT_NEAR(time("m16n8k16.f32.f16.f16.f32", 2, 3).fma_per_clk, 2 * one, 1e-9);
  EXPECT_NEAR(time("m16n8k16.f32.f16.f16.f32", 4, 3).fma_per_clk, 4 * one, 1e-9);
}

TEST(MmaLoop, CountsCompareAndBranchBelongToTheLoop) {
  EXPECT_EQ(time("m16n8k16.f32.f16.f16.f32", 4, 2).report.totals.instructions, 4 * (512 * (2 + 3) + 1));
}

TEST(MmaLoop, SaysWhatBinds) {
  EXPECT_EQ(time("m16n8k16.f32.f16.f16.f32", 8, 4).report.bound(), "tensor pipe");
  EXPECT_EQ(time("m16n8k16.f32.f16.f16.f32", 4, 1).report.dominant_stall(), Stall::wait);
  EXPECT_EQ(time("m16n8k16.f32.f16.f16.f32", 16, 4).report.dominant_stall(), Stall::math_pipe_throttle);
}

TEST(MmaLoop, Refusals) {
  const auto& mma = isa::find_instruction("m16n8k16.f32.f16.f16.f32");
  EXPECT_THROW(time_mma_loop({&mma, 0, 1, 1}, a100), Error);
  EXPECT_THROW(time_mma_loop({&mma, 33, 1, 1}, a100), Error);
  EXPECT_THROW(time_mma_loop({&mma, 1, 0, 1}, a100), Error);
  EXPECT_THROW(time_mma_loop({&mma, 1, 100, 1}, a100), Error);  // 400 accumulators
  EXPECT_THROW(time_mma_loop({&mma, 1, 1, 0}, a100), Error);
  EXPECT_THROW(time_mma_loop({&isa::find_instruction("ldmatrix.m8n8.x4.shared.b16"), 1, 1, 1}, a100), Error);
}

}  // namespace
}  // namespace twofour::emu
