// Peaks of the built-in machines against their datasheets and whitepapers.
#include <gtest/gtest.h>

#include "twofour/isa/error.h"
#include "twofour/isa/issue_timing.h"

namespace twofour::isa {
namespace {

using enum ElementType;

/// 10^12 operations a second that NVIDIA prints, to two to four digits; 0: the machine has none.
struct Datasheet {
  std::string machine;
  double f16, f16_f32, bf16, tf32, int8, int4;
};

const Datasheet datasheets[] = {
    {"a100-sxm4-40gb", 312, 312, 312, 156, 624, 1248},
    {"a100-sxm4-80gb", 312, 312, 312, 156, 624, 1248},
    {"a100-pcie", 312, 312, 312, 156, 624, 1248},
    {"a30", 165, 165, 165, 82, 330, 661},
    {"a10", 125, 125, 125, 62.5, 250, 500},
    {"rtx-3090", 142, 71, 71, 35.6, 284, 568},
    {"t4", 65, 65, 0, 0, 130, 260},
    {"h100-sxm", 989.4, 989.4, 989.4, 494.7, 1978.9, -1},
    {"h200", 989.4, 989.4, 989.4, 494.7, 1978.9, -1},
};

TEST(MachinePeaks, AreThoseOfTheDatasheets) {
  std::vector<std::string> seen;
  for (const auto& d : datasheets) {
    const auto m = load_machine(d.machine);
    seen.push_back(d.machine);
    const auto expect = [&](double printed, ElementType input, ElementType accumulator) {
      if (printed < 0) return;  // not printed
      EXPECT_NEAR(m.peak_tops(input, accumulator), printed, 0.01 * printed)
          << d.machine << " " << name(input);
    };
    expect(d.f16, f16, f16);
    expect(d.f16_f32, f16, f32);
    expect(d.bf16, bf16, f32);
    expect(d.tf32, tf32, f32);
    expect(d.int8, s8, s32);
    expect(d.int4, s4, s32);
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, machine_names());
}

// Datasheets print twice the dense peak with sparsity, and none for the T4.
TEST(MachinePeaks, SparseIsTwiceDenseWhereThereIsMmaSp) {
  for (const auto& name : machine_names()) {
    const auto m = load_machine(name);
    EXPECT_EQ(m.peak_tops(f16, f32, true), m.compute_capability < 80 ? 0 : 2 * m.peak_tops(f16, f32)) << name;
  }
}

TEST(MachinePeaks, BandwidthStaysBelowTheDatasheet) {
  const std::pair<std::string, double> printed[] = {{"a100-sxm4-40gb", 1555},
                                                    {"a100-sxm4-80gb", 2039},
                                                    {"a100-pcie", 1935},
                                                    {"a30", 933},
                                                    {"a10", 600},
                                                    {"rtx-3090", 936},
                                                    {"t4", 320},
                                                    {"h100-sxm", 3352},
                                                    {"h200", 4800}};
  for (const auto& [name, gbs] : printed) {
    const auto m = load_machine(name);
    EXPECT_LT(m.dram_read_gbs, gbs) << name;
    EXPECT_GT(m.dram_read_gbs, 0.75 * gbs) << name;
  }
}

const Instruction& row(const std::string& name) {
  return find_instruction(name);
}

// PTX ISA: target notes of mma. Turing knows the small shapes of f16, 8 and 4 bits, and .xor of single bits.
TEST(MachineInstructions, FollowTheComputeCapability) {
  const auto t4 = load_machine("t4");
  for (const auto* name : {"m16n8k8.f32.f16.f16.f32", "m8n8k16.s32.s8.s8.s32", "m8n8k32.s32.s4.s4.s32"})
    EXPECT_TRUE(has_issue_timing(row(name), t4)) << name;
  for (const auto* name : {"m16n8k16.f32.f16.f16.f32", "m16n8k32.s32.s8.s8.s32", "m16n8k8.f32.bf16.bf16.f32",
                           "sp.m16n8k32.f32.f16.f16.f32", "m8n8k4.f64.f64.f64.f64"}) {
    EXPECT_FALSE(has_issue_timing(row(name), t4)) << name;
    EXPECT_THROW(issue_timing(row(name), t4), Error) << name;
  }
}

// 128 multiply-adds a cycle of a sub-core of the T4: 1024 of m16n8k8 take 8 cycles; m8n8k16 of s8 has twice
// the rate and reaches it (Sun et al., TPDS 2023), where A100 reaches half.
TEST(MachineInstructions, TuringRunsM8n8k16AtItsPeak) {
  const auto t4 = load_machine("t4");
  EXPECT_EQ(issue_timing(row("m16n8k8.f32.f16.f16.f32"), t4).interval, 8);
  EXPECT_EQ(issue_timing(row("m8n8k16.s32.s8.s8.s32"), t4).interval, 4);
  EXPECT_EQ(issue_timing(row("m8n8k16.s32.s8.s8.s32"), load_machine("a100-sxm4-80gb")).interval, 4);
}

// Machine code for sm_90: a 4-bit mma is two 8-bit ones, .xor of b1 is two .and.
TEST(MachineInstructions, HopperSplitsFourBitsAndXor) {
  const auto h100 = load_machine("h100-sxm");
  const auto interval = [&](const char* name) { return issue_timing(row(name), h100).interval; };
  EXPECT_DOUBLE_EQ(interval("m16n8k64.s32.s4.s4.s32"), 2 * interval("m16n8k32.s32.s8.s8.s32"));
  EXPECT_DOUBLE_EQ(interval("m16n8k256.s32.b1.b1.s32.xor"), 2 * interval("m16n8k256.s32.b1.b1.s32.and"));
}

// GeForce halves the rate of f32 accumulators; data centre boards with the same chip do not.
TEST(MachineInstructions, GeForceHalvesF32Accumulators) {
  const auto interval = [&](const char* name, const char* machine) {
    return issue_timing(row(name), load_machine(machine)).interval;
  };
  EXPECT_EQ(interval("m16n8k16.f16.f16.f16.f16", "rtx-3090"), 16);
  EXPECT_EQ(interval("m16n8k16.f32.f16.f16.f32", "rtx-3090"), 32);
  EXPECT_EQ(interval("m16n8k16.f32.f16.f16.f32", "a10"), 16);
}

// Sun et al., TPDS 2023: small-k mma.sp reaches 63 to 65 % of its peak on A100 and all of it on RTX 3070 Ti.
TEST(MachineInstructions, SmallKSparseLosesOnA100Only) {
  const auto share = [&](const char* machine) {
    const auto timing = issue_timing(row("sp.m16n8k16.f32.f16.f16.f32"), load_machine(machine));
    return timing.interval / timing.effective_interval;
  };
  EXPECT_NEAR(share("a100-sxm4-80gb"), 0.64, 0.01);
  EXPECT_GT(share("rtx-3090"), 0.97);
  EXPECT_GT(share("a10"), 0.97);
}

}  // namespace
}  // namespace twofour::isa
