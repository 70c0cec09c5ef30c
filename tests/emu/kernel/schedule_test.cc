// What a schedule may be, edges of the problem, and that every wait, barrier and copy is needed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernel_helpers.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

TEST(Schedule, EdgesAndAlignmentsEqualGemm) {
  const auto& f16 = isa::find_instruction("m16n8k16.f32.f16.f16.f32");
  const auto& s8 = isa::find_instruction("sp.m16n8k64.s32.s8.s8.s32");
  struct Case {
    const isa::Instruction& i;
    std::int64_t m, n, k;
    int alignment;
  };
  const Case cases[] = {{f16, 1, 1, 8, 16},   {f16, 33, 7, 100, 8},  {f16, 65, 65, 66, 4},
                        {f16, 17, 129, 2, 4}, {s8, 47, 81, 192, 16}, {s8, 5, 300, 64, 16},
                        {s8, 100, 9, 320, 4}};
  for (const Case& c : cases)
    for (const CopyMoment moment : {CopyMoment::latest, CopyMoment::earliest}) {
      const RandomProblem x(c.i, c.m, c.n, c.k, true, 8);
      EXPECT_GE(largest_alignment(x.problem), c.alignment);
      const Kernel k = plan_kernel(x.problem, schedule_of(64, 32, 64, 3, 2, 1, c.alignment));
      ExecutionOptions options;
      options.moment = moment;
      EXPECT_EQ(run_kernel(k, x.operands(), options).d, x.product(k.chunk_k))
          << c.m << " " << c.n << " " << c.k;
    }
}

TEST(Schedule, AKernelWithoutAnyOneOfItsKindsOfInstructionIsWrong) {
  const auto& i = isa::find_instruction("sp.m16n8k32.f32.f16.f16.f32");
  const RandomProblem x(i, 64, 64, 1024, false, 9);
  for (const int k_bytes : {64, 128}) {  // one and two steps a k-chunk
    const Kernel k = plan_kernel(x.problem, schedule_of(64, 64, k_bytes, 3, 2, 2));
    const PackedMatrix expected = x.product(k.chunk_k);
    ASSERT_EQ(run_kernel(k, x.operands()).d, expected);
    for (const OpKind kind : {OpKind::wait_group, OpKind::commit_group, OpKind::barrier, OpKind::cp_async,
                              OpKind::ldmatrix, OpKind::mma, OpKind::store_shared, OpKind::store_global}) {
      ExecutionOptions options;
      options.omitted = kind;
      EXPECT_NE(run_kernel(k, x.operands(), options).d, expected) << int(kind);
    }
  }
}

TEST(Schedule, ABarrierIsNeededEvenWhereCopiesAreImmediate) {
  const auto& i = isa::find_instruction("m16n8k16.f32.f16.f16.f32");
  const RandomProblem x(i, 64, 64, 1024, false, 10);
  const Kernel k = plan_kernel(x.problem, schedule_of(64, 64, 64, 3, 2, 2));
  ExecutionOptions options;
  options.moment = CopyMoment::earliest;
  options.omitted = OpKind::barrier;
  EXPECT_NE(run_kernel(k, x.operands(), options).d, x.product(k.chunk_k));
}

void expect_refused(const KernelProblem& p, const Schedule& s, const char* words) {
  try {
    plan_kernel(p, s);
    ADD_FAILURE() << "not refused: " << words;
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr(words));
  }
}

TEST(Schedule, WhatDoesNotFitIsRefusedInWords) {
  const RandomProblem x(isa::find_instruction("m16n8k16.f32.f16.f16.f32"), 64, 64, 256, false, 11);
  const KernelProblem p = x.problem;
  expect_refused(p, schedule_of(256, 256, 128, 3, 4, 4), "bytes of shared memory, a CTA has 166912");
  expect_refused(p, schedule_of(128, 256, 64, 3, 2, 2), "registers a lane, there are 255");
  expect_refused(p, schedule_of(64, 64, 64, 3, 3, 1), "must be a multiple of 16 x 8");
  expect_refused(p, schedule_of(64, 64, 16, 3, 2, 2), "a multiple of 16, the k of");
  expect_refused(p, schedule_of(64, 64, 96, 3, 2, 2), "must be a power of two");
  expect_refused(p, schedule_of(64, 64, 64, 1, 2, 2), "need at least 2");
  expect_refused(p, schedule_of(64, 64, 64, 3, 2, 2, 2), "cp.async copies 16, 8 or 4");
  expect_refused(p, schedule_of(65536, 65536, 64, 3, 1, 1), "sizes are at most 4096");
  KernelProblem odd = p;
  odd.k = 250;
  expect_refused(odd, schedule_of(64, 64, 64, 3, 2, 2), "aligned to 4 only");
  odd.k = 251;
  expect_refused(odd, schedule_of(64, 64, 64, 3, 2, 2), "fill K up with zeros");
  Schedule s = schedule_of(64, 64, 64, 3, 2, 2);
  s.decomposition = Decomposition::split_k;
  s.splits = 9;
  expect_refused(p, s, "8 k-chunks, give 1 to 8");
  KernelProblem small = p;
  small.instruction = &isa::find_instruction("m16n8k8.f32.f16.f16.f32");
  expect_refused(small, schedule_of(64, 64, 64, 3, 2, 2), "the largest k");
  const RandomProblem sparse(isa::find_instruction("sp.m16n8k32.f32.f16.f16.f32"), 64, 64, 256, false, 12);
  expect_refused(sparse.problem, schedule_of(16, 64, 64, 3, 1, 2), "blocks of 32 rows");
}

}  // namespace
}  // namespace twofour::emu
