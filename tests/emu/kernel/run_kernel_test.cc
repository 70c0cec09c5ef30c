#include "twofour/emu/kernel/run_kernel.h"

#include <gtest/gtest.h>

#include "kernel_helpers.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

/// Rows of the table that have a tiled kernel, sm_80.
std::vector<const isa::Instruction*> kernel_rows() {
  std::vector<const isa::Instruction*> rows;
  for (const isa::Instruction& i : isa::instructions()) {
    if (!i.is_tensor_core() || i.family == isa::Family::mma_sp_ordered || isa::requirement(i).sm > 80)
      continue;
    if (i.stored_k() * isa::bits(i.a) != 256 || (i.shape.m != 16 && i.a != ElementType::f64)) continue;
    rows.push_back(&i);
  }
  return rows;
}

void expect_equals_gemm(const RandomProblem& x, const Schedule& s) {
  const Kernel k = plan_kernel(x.problem, s);
  const PackedMatrix expected = x.product(k.chunk_k);
  for (const CopyMoment moment : {CopyMoment::latest, CopyMoment::earliest}) {
    ExecutionOptions options;
    options.moment = moment;
    ASSERT_EQ(run_kernel(k, x.operands(), options).d, expected)
        << isa::short_name(*x.problem.instruction) << " tile " << s.tile.m << "x" << s.tile.n << "x"
        << s.tile.k_bytes << " stages " << s.tile.stages;
  }
}

TEST(RunKernel, EqualsGemmOnEveryRow) {
  ASSERT_GE(kernel_rows().size(), 25u);
  for (const isa::Instruction* i : kernel_rows()) {
    const std::int64_t k = 5 * i->shape.k;
    expect_equals_gemm(RandomProblem(*i, 75, 52, k, true, 1), schedule_of(64, 32, 128, 3, 2, 2));
    expect_equals_gemm(RandomProblem(*i, 64, 64, 4 * k, false, 2), schedule_of(32, 64, 64, 4, 1, 2));
  }
}

}  // namespace
}  // namespace twofour::emu
