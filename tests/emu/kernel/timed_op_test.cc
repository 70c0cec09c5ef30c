#include <gtest/gtest.h>

#include "kernel_helpers.h"
#include "twofour/emu/kernel/swizzle.h"
#include "twofour/emu/kernel/warp_op.h"

namespace twofour::emu {
namespace {

KernelProblem problem(const char* instruction, std::int64_t m, std::int64_t n, std::int64_t k) {
  KernelProblem p;
  p.instruction = &isa::find_instruction(instruction);
  p.m = m, p.n = n, p.k = k;
  p.epilogue.output = p.instruction->d;
  return p;
}

std::int64_t count(const std::vector<std::vector<TimedOp>>& warps, OpKind kind) {
  std::int64_t n = 0;
  for (const auto& warp : warps)
    for (const TimedOp& op : warp) n += op.kind == kind;
  return n;
}

TEST(TimedOp, CountsOfAnF16KernelFollowFromItsSizes) {
  // 128 x 128 x 32, 2 x 2 warps of 64 x 64: a step of m16n8k16 is 4 x 8 mma, a k-chunk two steps.
  const Kernel k =
      plan_kernel(problem("m16n8k16.f32.f16.f16.f32", 256, 256, 1024), schedule_of(128, 128, 64, 4, 2, 2));
  const auto warps = timed_cta(k, grid(k).at(1));
  ASSERT_EQ(warps.size(), 4u);
  EXPECT_EQ(count(warps, OpKind::mma), 4 * 32 * 2 * 32);
  EXPECT_EQ(count(warps, OpKind::ldmatrix), 4 * (32 * 2 + 1) * (4 + 4));  // x4: A of one m16, B of two n8
  EXPECT_EQ(count(warps, OpKind::cp_async), (32 + 3) * (2 * 128 * 64 / 16) / 32);  // 16 bytes a lane
  EXPECT_EQ(count(warps, OpKind::barrier), 4 * (1 + 32 + 1));
  std::int64_t loaded = 0, stored = 0;
  for (const auto& warp : warps)
    for (const TimedOp& op : warp) {
      if (op.kind == OpKind::cp_async) loaded += op.bytes;
      if (op.kind == OpKind::store_global) stored += op.bytes;
    }
  EXPECT_EQ(loaded, 2 * 128 * 1024 * 2);
  EXPECT_EQ(stored, 128 * 128 * 4);
}

TEST(TimedOp, NoLdmatrixAndNoCopyOfTheMainLoopHasBankConflicts) {
  for (const char* name :
       {"m16n8k16.f32.f16.f16.f32", "sp.m16n8k32.f32.f16.f16.f32", "sp.m16n8k64.s32.s8.s8.s32",
        "m16n8k256.s32.b1.b1.s32.xor", "m8n8k4.f64.f64.f64.f64"})
    for (int k_bytes : {64, 128, 256}) {
      const Kernel k = plan_kernel(problem(name, 64, 64, 4096), schedule_of(64, 64, k_bytes, 3, 2, 2));
      for (const auto& warp : timed_cta(k, grid(k).front()))
        for (const TimedOp& op : warp) {
          if (op.kind == OpKind::ldmatrix) {
            EXPECT_EQ(op.wavefronts, op.instruction->movement.matrices) << name << " " << k_bytes;
          }
          if (op.kind == OpKind::cp_async) {
            EXPECT_LE(op.wavefronts, 4) << name << " " << k_bytes;
          }
          if (op.kind == OpKind::load_shared && op.write.count == 2) {
            EXPECT_EQ(op.wavefronts, 2) << name << " " << k_bytes;
          }
        }
    }
}

TEST(TimedOp, SlabsOfTheEpilogueHaveNoBankConflicts) {
  const Kernel k =
      plan_kernel(problem("m16n8k16.f32.f16.f16.f32", 128, 128, 64), schedule_of(128, 128, 64, 2, 2, 2));
  for (const auto& warp : timed_cta(k, grid(k).front()))
    for (const TimedOp& op : warp) {
      if (op.kind == OpKind::store_shared) {
        EXPECT_EQ(op.wavefronts, 2);  // 8 bytes a lane
      }
      if (op.kind == OpKind::load_shared) {
        EXPECT_EQ(op.wavefronts, 4);  // 16
      }
    }
}

TEST(TimedOp, WithoutSwizzleTheRowsOfAMatrixMeetInOneBank) {
  WarpOp op;
  op.kind = OpKind::ldmatrix;
  op.instruction = &isa::find_instruction("ldmatrix.m8n8.x1.shared.b16");
  for (std::size_t row = 0; row < 8; ++row) op.shared[row] = std::uint32_t(128 * row);
  EXPECT_EQ(timed(op).wavefronts, 8);
  for (std::size_t row = 0; row < 8; ++row) op.shared[row] = SwizzledRows{128}.address(int(row), 0);
  EXPECT_EQ(timed(op).wavefronts, 1);
}

TEST(TimedOp, SmallerAlignmentTakesMoreCopies) {
  const auto copies = [](int alignment) {
    const Kernel k = plan_kernel(problem("m16n8k16.f32.f16.f16.f32", 128, 128, 256),
                                 schedule_of(128, 128, 64, 4, 2, 2, alignment));
    return count(timed_cta(k, grid(k).front()), OpKind::cp_async);
  };
  EXPECT_EQ(copies(8), 2 * copies(16));
  EXPECT_EQ(copies(4), 4 * copies(16));
}

}  // namespace
}  // namespace twofour::emu
