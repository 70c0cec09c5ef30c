// Times of small kernels that can be computed by hand: one warp, differences of two lengths.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "timed_device.h"

namespace twofour::emu::profile::test {
namespace {

std::string repeated(int n, const std::string& line) {
  std::string text;
  for (int k = 0; k < n; ++k) text += line;
  return text;
}

/// Cycles that 32 more of a line take.
double cycles_of_32(const std::string& before, const std::string& line, const std::string& after) {
  double cycles[2] = {};
  for (int longer = 0; longer < 2; ++longer) {
    TimedDevice t(kernel(before + repeated(longer != 0 ? 64 : 32, line) + after));
    const auto out = t.allocate(1 << 16);
    cycles[longer] = t.run("k", {}, {32, 1, 1}, 0, out, 1u).sm_cycles;
  }
  return cycles[1] - cycles[0];
}

TEST(CycleChain, DependentMma) {
  const std::string mma =
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f0,%f1,%f2,%f3}, {%r1,%r2,%r3,%r4}, {%r5,%r6}, "
      "{%f0,%f1,%f2,%f3};\n";
  const double cycles = cycles_of_32("", mma, "st.global.f32 [%a0], %f0;\n");
  EXPECT_NEAR(cycles, 32 * 24.7, 1);  // Sun et al., TPDS 2023, table 3
}

TEST(CycleChain, IndependentMmaAtTheirInterval) {
  std::string mma;
  for (int k = 0; k < 4; ++k)
    mma += fmt::format(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {{%f{0},%f{1},%f{2},%f{3}}}, {{%r1,%r2,%r3,%r4}}, "
        "{{%r5,%r6}}, {{%f{0},%f{1},%f{2},%f{3}}};\n",
        4 * k, 4 * k + 1, 4 * k + 2, 4 * k + 3);
  // Sun et al., TPDS 2023: streams take one every 8.16 cycles; the machine file's rule for all types says 1 %
  // more.
  const std::string stores =
      "add.f32 %f20, %f0, %f4;\n add.f32 %f21, %f8, %f12;\n st.global.v2.f32 [%a0], {%f20,%f21};\n";
  EXPECT_NEAR(cycles_of_32("", mma, stores), 128 * 8.16, 0.015 * 128 * 8.16);
}

TEST(CycleChain, DependentFma) {
  EXPECT_EQ(cycles_of_32("", "fma.rn.f32 %f1, %f1, %f2, %f3;\n", "st.global.f32 [%a0], %f1;\n"), 32 * 4);
}

TEST(CycleChain, IndependentFmaAtTwoCycles) {  // 16 lanes of a sub-core for a warp of 32
  std::string lines;
  for (int k = 4; k < 8; ++k) lines += fmt::format("fma.rn.f32 %f{0}, %f{0}, %f2, %f3;\n", k);
  EXPECT_EQ(cycles_of_32("", lines, "st.global.f32 [%a0], %f4;\n"), 4 * 32 * 2);
}

TEST(CycleChain, HalfPairsAtOneCycle) {
  std::string lines;
  for (int k = 4; k < 8; ++k) lines += fmt::format("fma.rn.f16x2 %r{0}, %r{0}, %r2, %r3;\n", k);
  EXPECT_EQ(cycles_of_32("", lines, "st.global.u32 [%a0], %r4;\n"), 4 * 32);
}

TEST(CycleChain, DoublesAtFourCycles) {  // 8 lanes of a sub-core
  std::string lines;
  for (int k = 4; k < 8; ++k) lines += fmt::format("fma.rn.f64 %d{0}, %d{0}, %d2, %d3;\n", k);
  EXPECT_EQ(cycles_of_32("", lines, "st.global.f64 [%a0], %d4;\n"), 4 * 32 * 4);
}

TEST(CycleChain, SpecialFunctionsAtEightCycles) {  // 4 lanes of a sub-core
  std::string lines;
  for (int k = 4; k < 8; ++k) lines += fmt::format("ex2.approx.ftz.f32 %f{0}, %f{0};\n", k);
  EXPECT_EQ(cycles_of_32("", lines, "st.global.f32 [%a0], %f4;\n"), 4 * 32 * 8);
}

TEST(CycleChain, PointersThroughSharedMemory) {
  const std::string start = "mov.u32 %r1, memory;\n st.shared.u32 [%r1], %r1;\n";
  EXPECT_EQ(cycles_of_32(start, "ld.shared.u32 %r1, [%r1];\n", "st.global.u32 [%a0], %r1;\n"), 32 * 23);
}

TEST(CycleChain, PointersThroughSharedMemoryWithConflicts) {
  // Lane l at word 2 l: two wavefronts, 2 cycles more.
  const std::string start =
      "mov.u32 %r1, memory;\n shl.b32 %r2, %r0, 3;\n add.s32 %r1, %r1, %r2;\n st.shared.u32 [%r1], %r1;\n";
  EXPECT_EQ(cycles_of_32(start, "ld.shared.u32 %r1, [%r1];\n", "st.global.u32 [%a0], %r1;\n"), 32 * 25);
}

TEST(CycleChain, PointersThroughL1) {
  // The first load brings the sector; te42kyfo/gpu-benches measures 36 cycles then.
  const std::string start = "st.global.u64 [%a0], %a0;\n";
  EXPECT_EQ(cycles_of_32(start, "ld.global.u64 %a0, [%a0];\n", "st.global.u64 [%a0+64], %a0;\n"), 32 * 36);
}

TEST(CycleChain, CopiesAreWaitedFor) {
  const std::string copy =
      "mov.u32 %r1, memory;\n cp.async.ca.shared.global [%r1], [%a0], 16;\n cp.async.commit_group;\n";
  const auto cycles = [&](const std::string& wait) {
    TimedDevice t(kernel(copy + wait));
    const auto out = t.allocate(256);
    return t.run("k", {}, {1, 1, 1}, 0, out, 1u).sm_cycles;
  };
  EXPECT_GE(cycles("cp.async.wait_group 0;\n"), 571 + 39);  // DRAM, and into shared memory
  EXPECT_GE(cycles("cp.async.wait_all;\n"), 571 + 39);
  EXPECT_LT(cycles("cp.async.wait_group 1;\n"), 100);
}

TEST(CycleChain, BarriersHoldOnlyTheWarpsTheyName) {
  // Warps 0 and 1 meet at barrier 1; warp 2 is 512 dependent multiply-adds late for nobody.
  const auto cycles_of_store = [](const std::string& barrier) {
    const std::string body = "shr.u32 %r1, %r0, 5;\n setp.ne.u32 %p1, %r1, 2;\n @%p1 bra MEET;\n" +
                             repeated(512, "fma.rn.f32 %f1, %f1, %f2, %f3;\n") +
                             "st.global.f32 [%a0], %f1;\n bra END;\nMEET:\n" + barrier +
                             "st.global.u32 [%a0+64], %r1;\nEND:\n";
    TimedDevice t(kernel(body));
    const auto out = t.allocate(256);
    t.run("k", {}, {96, 1, 1}, 0, out, 1u);
    struct Last : SmListener {
      void on_issue(const IssueEvent& e) override {
        if (e.warp.warp == 0) cycle = e.cycle;
      }
      std::int64_t cycle = 0;
    } last;
    time_launch(t.trace(), t.machine(), &last);
    return last.cycle;
  };
  EXPECT_LT(cycles_of_store("bar.sync 1, 64;\n"), 200);
  EXPECT_GT(cycles_of_store("bar.sync 0;\n"), 512 * 4);  // all that live: till warp 2 has ended
}

TEST(CycleChain, ArrivingDoesNotWait) {
  // Warp 1 arrives late, warp 0 waits for it; warp 1 goes on at once.
  const std::string body =
      "setp.lt.u32 %p1, %r0, 32;\n @%p1 bra FIRST;\n" + repeated(64, "fma.rn.f32 %f1, %f1, %f2, %f3;\n") +
      "st.global.f32 [%a0], %f1;\n bar.arrive 3, 64;\n bra END;\nFIRST:\n bar.sync 3, 64;\n"
      "st.global.u32 [%a0+64], %r0;\nEND:\n";
  TimedDevice t(kernel(body));
  const auto out = t.allocate(256);
  const double cycles = t.run("k", {}, {64, 1, 1}, 0, out, 1u).sm_cycles;
  EXPECT_GT(cycles, 64 * 4);
  EXPECT_LT(cycles, 64 * 4 + 100);
}

}  // namespace
}  // namespace twofour::emu::profile::test
