// From the recorded blocks to the time of the grid.
#include <gtest/gtest.h>

#include "timed_device.h"

namespace twofour::emu::profile::test {
namespace {

/// n dependent multiply-adds.
const std::string loop = R"(
  mov.u32 %r1, 0;
LOOP:
  fma.rn.f32 %f1, %f1, %f2, %f3;
  fma.rn.f32 %f1, %f1, %f2, %f3;
  fma.rn.f32 %f1, %f1, %f2, %f3;
  fma.rn.f32 %f1, %f1, %f2, %f3;
  add.u32 %r1, %r1, 1;
  setp.lt.u32 %p1, %r1, %n;
  @%p1 bra LOOP;
  setp.eq.u32 %p2, %n, 0;
  @%p2 st.global.f32 [%a0], %f1; // never: all blocks would store to one place
)";

double cycles(std::uint32_t blocks, std::uint64_t shared, std::uint32_t n, int threads = 1,
              std::int64_t bound = 1 << 21) {
  TimedDevice t(kernel(loop), threads, bound);
  const auto out = t.allocate(256);
  return t.run("k", {blocks, 1, 1}, {128, 1, 1}, shared, out, n).sm_cycles;
}

TEST(CycleLaunch, WavesFollowEachOther) {
  constexpr std::uint64_t most = 140 * 1024;  // one block an SM
  const double one = cycles(108, most, 200);
  EXPECT_GT(one, 200 * 16);
  EXPECT_EQ(cycles(1, most, 200), one);
  EXPECT_NEAR(cycles(109, most, 200) / one, 2, 0.02);
  EXPECT_NEAR(cycles(3 * 108, most, 200) / one, 3, 0.03);
  EXPECT_NEAR(cycles(40 * 108, most, 200) / one, 40, 0.4);  // three are simulated
}

TEST(CycleLaunch, BlocksThatResideTogetherHideLatency) {
  // Four blocks of four warps: a sub-core has four chains of latency 4 and an FMA pipe of 2 cycles.
  EXPECT_NEAR(cycles(4 * 108, 0, 200) / cycles(108, 0, 200), 2, 0.2);
}

TEST(CycleLaunch, BeyondTheBoundTheRateGoesOn) {
  TimedDevice t(kernel(loop), 1, 4000);
  const auto out = t.allocate(256);
  const auto& time = t.run("k", {108, 1, 1}, {128, 1, 1}, 140 * 1024, out, 4000u);
  EXPECT_LT(time.simulated_share, 0.2);
  EXPECT_NEAR(time.sm_cycles / cycles(108, 140 * 1024, 4000), 1, 0.02);
}

TEST(CycleLaunch, ThreadsOfTheHostChangeNothing) {
  EXPECT_EQ(cycles(30 * 108, 0, 50, 1, 50000), cycles(30 * 108, 0, 50, 4, 50000));
}

TEST(CycleLaunch, DramBoundsAStream) {
  // 64 MiB are read once: 67.1 MB at 1769 GB/s are 37.9 us.
  TimedDevice t(kernel(R"(
    mov.u32 %r1, %ctaid.x;
    mov.u32 %r2, %ntid.x;
    mad.lo.u32 %r3, %r1, %r2, %r0;
    mul.wide.u32 %a1, %r3, 16;
    add.s64 %a2, %a0, %a1;
    ld.global.v4.u32 {%r4,%r5,%r6,%r7}, [%a2];
    xor.b32 %r8, %r4, %r5; xor.b32 %r9, %r6, %r7; xor.b32 %r10, %r8, %r9;
    setp.eq.u32 %p1, %r10, 1;
    @%p1 st.global.u32 [%a0], %r10;
  )"));
  constexpr std::uint64_t bytes = 64 << 20;
  const auto in = t.allocate(bytes);
  const auto& time = t.run("k", {bytes / 16 / 256, 1, 1}, {256, 1, 1}, 0, in, 1u);
  EXPECT_DOUBLE_EQ(time.l2_hit, 0);
  EXPECT_NEAR(time.dram_cycles / t.machine().boost_mhz, double(bytes) / 1769e3, 0.01);
  EXPECT_GT(time.microseconds, 37.9);
  EXPECT_LT(time.microseconds, 37.9 * 1.25);
}

TEST(CycleOccupancy, AsCudaCountsIt) {
  const auto machine = isa::load_machine("a100-sxm4-80gb");
  const auto blocks = [&](int threads, int registers, std::uint64_t shared) {
    return occupancy({threads, registers, shared}, machine);
  };
  EXPECT_EQ(blocks(256, 64, 0).blocks, 4);  // 65536 / (64 x 256)
  EXPECT_EQ(blocks(256, 64, 0).limit, "registers");
  EXPECT_EQ(blocks(256, 65, 0).blocks, 3);  // 72 are given
  EXPECT_EQ(blocks(1024, 32, 0).blocks, 2);
  EXPECT_EQ(blocks(1024, 32, 0).limit, "warps");
  EXPECT_EQ(blocks(32, 16, 0).blocks, 32);
  EXPECT_EQ(blocks(32, 16, 0).limit, "blocks");
  EXPECT_EQ(blocks(128, 32, 40 * 1024).blocks, 4);  // 164 KiB / 41 KiB
  EXPECT_EQ(blocks(128, 32, 40 * 1024).limit, "shared memory");
  EXPECT_EQ(blocks(1024, 255, 0).blocks, 1);  // as ptxas would make it fit
}

}  // namespace
}  // namespace twofour::emu::profile::test
