// The latency model on machines other than the A100.
#include <gtest/gtest.h>

#include <cmath>

#include "twofour/emu/timing/gemm_latency.h"
#include "twofour/emu/timing/kernel_time.h"
#include "twofour/emu/timing/library_mma.h"
#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

using enum isa::ElementType;

std::string refusal(const GemmProblem& problem, const isa::Machine& machine) {
  try {
    gemm_latency(problem, machine);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

std::string mma_of(isa::ElementType type, const char* machine) {
  return isa::short_name(*library_mma(type, false, isa::load_machine(machine)).instruction);
}

TEST(LibraryMma, IsTheLargestThatTheMachineHas) {
  EXPECT_EQ(mma_of(f16, "a100-sxm4-80gb"), "m16n8k16.f32.f16.f16.f32");
  EXPECT_EQ(mma_of(s8, "a100-sxm4-80gb"), "m16n8k32.s32.s8.s8.s32");
  EXPECT_EQ(mma_of(f16, "t4"), "m16n8k8.f32.f16.f16.f32");
  EXPECT_EQ(mma_of(s8, "t4"), "m8n8k16.s32.s8.s8.s32");
  EXPECT_EQ(mma_of(s4, "t4"), "m8n8k32.s32.s4.s4.s32");
  EXPECT_EQ(mma_of(b1, "h100-sxm"), "m16n8k256.s32.b1.b1.s32.and");
}

// 989.4 TFLOP/s are 2048 multiply-adds a cycle of an SM: libraries reach them by wgmma; 4-bit types stay with
// mma.sync at 63 % of the 8-bit rate.
TEST(LibraryMma, HopperLibrariesUseWgmmaButForFourBits) {
  const auto h100 = isa::load_machine("h100-sxm");
  const auto half = library_mma(f16, false, h100), four = library_mma(s4, false, h100);
  EXPECT_TRUE(half.warpgroup);
  EXPECT_NEAR(half.instruction->fma() / half.interval, 512, 1e-9);
  EXPECT_FALSE(four.warpgroup);
  EXPECT_NEAR(four.instruction->fma() / four.interval, 0.63 * 1024, 1e-9);
}

TEST(Machines, RefuseWhatTheyLackByName) {
  const auto t4 = isa::load_machine("t4");
  for (const auto type : {bf16, tf32}) {
    const auto message = refusal({64, 64, 64, type}, t4);
    EXPECT_NE(message.find("machine t4 (sm_75) has no mma of " + std::string(isa::name(type))),
              std::string::npos)
        << message;
  }
  EXPECT_NE(refusal({64, 64, 64, f16, true}, t4).find("machine t4 (sm_75) has no sparse mma of f16"),
            std::string::npos);
  EXPECT_NE(refusal({64, 64, 64, e4m3}, isa::load_machine("a30")).find("a30 (sm_80) has no mma of e4m3"),
            std::string::npos);
}

TEST(Machines, StayBelowTheirPeakAndRankByIt) {
  double slower = 1e9;
  for (const auto* name : {"t4", "rtx-3090", "a10", "a30", "a100-pcie", "a100-sxm4-80gb", "h100-sxm"}) {
    const auto machine = isa::load_machine(name);
    for (const auto type : {f16, s8, s4, b1}) {
      const auto l = gemm_latency({4096, 4096, 4096, type}, machine);
      EXPECT_LE(l.peak_fraction, 1) << name << " " << isa::name(type);
      EXPECT_GT(l.peak_fraction, 0.25) << name << " " << isa::name(type);
    }
    const double time = gemm_latency({8192, 8192, 8192, f16}, machine).microseconds;
    EXPECT_LT(time, slower) << name;
    slower = time;
  }
}

// Large f16 products on H100 SXM are published at 600 to 800 TFLOP/s.
TEST(Machines, HopperReachesWhatWgmmaReaches) {
  const auto l = gemm_latency({8192, 8192, 8192, f16}, isa::load_machine("h100-sxm"));
  const double tflops = 2 * std::pow(8192.0, 3) / l.microseconds * 1e-6;
  EXPECT_GT(tflops, 600);
  EXPECT_LT(tflops, 800);
}

// wgmma m64n256k16 reads 64 rows of A and all 256 columns of B; a cluster of two CTAs along m reads B once.
TEST(Machines, WarpgroupsShareOperands) {
  const auto h100 = isa::load_machine("h100-sxm");
  const auto work = describe({8192, 8192, 8192, f16}, KernelContext{}, h100);
  const auto o = occupancy(work, {128, 256, 128, 3, 2, 4}, h100);
  const double a = 128 * 128, b = 256 * 128;
  EXPECT_DOUBLE_EQ(o.smem_cycles, (a + 2 * b + a + b) / 128);
  EXPECT_DOUBLE_EQ(o.fill_bytes, a + b / 2);
}

// 100 KiB of an SM less 1 KiB of each CTA: two CTAs of 128 x 128 x 64 bytes get three stages each, one CTA of
// 256 x 128 x 128 bytes two of 34 KiB.
TEST(Machines, StagesFollowTheSharedMemory) {
  const auto machine = isa::load_machine("rtx-3090");
  const auto dense = describe({4096, 4096, 4096, f16}, KernelContext{}, machine);
  const auto sparse = describe({4096, 4096, 4096, f16, true}, KernelContext{}, machine);
  EXPECT_EQ(with_fitting_stages(dense, {128, 128, 64, 5, 2, 2}, 1, machine).stages, 5);
  EXPECT_EQ(with_fitting_stages(dense, {128, 128, 64, 5, 2, 2}, 2, machine).stages, 3);
  EXPECT_EQ(with_fitting_stages(sparse, largest_sparse_tile, 1, machine).stages, 2);
  EXPECT_EQ(with_fitting_stages(sparse, largest_sparse_tile, 1, isa::load_machine("a30")).stages, 3);
}

// Two CTAs share an SM of the RTX 3090 in the fastest kernel of a large product.
TEST(Machines, TwoCtasShareASmallSharedMemory) {
  EXPECT_GE(gemm_latency({768, 4096, 3072, f16}, isa::load_machine("rtx-3090")).ctas_per_sm, 2);
}

TEST(Machines, OnlyTheA100IsMeasured) {
  EXPECT_EQ(gemm_latency({64, 64, 64, f16}, isa::load_machine("a100-pcie")).fidelity,
            TimingFidelity::measured);
  EXPECT_EQ(gemm_latency({64, 64, 64, f16}, isa::load_machine("h200")).fidelity, TimingFidelity::derived);
}

}  // namespace
}  // namespace twofour::emu
