// Warp instructions a second through whole tile programs, on one core, of processor time: made, executed and
// counted, with all the copies, waits and address arithmetic of a CUTLASS-class kernel. Counters: `per_s`,
// `mma_per_s`.
#include <benchmark/benchmark.h>
#include <omp.h>

#include <random>

#include "twofour/emu/kernel/run_kernel.h"
#include "twofour/emu/matrix/random.h"

namespace {

using namespace twofour;

struct Work {
  emu::Kernel kernel;
  emu::PackedMatrix a, b;
  std::optional<emu::SparseMatrix> sparse;
  emu::KernelOperands operands;

  explicit Work(const char* name) {
    emu::KernelProblem p;
    p.instruction = &isa::find_instruction(name);
    p.m = p.n = 256, p.k = 16 * p.instruction->shape.k;
    p.epilogue.output = p.instruction->d;
    emu::Schedule s;
    s.tile = {128, 128, 64, 4, p.instruction->a == isa::ElementType::f64 ? 4 : 2, 2};
    kernel = emu::plan_kernel(p, s);
    std::mt19937_64 random(1);
    a = emu::random_matrix(p.instruction->a, p.m, p.k, random);
    b = emu::random_matrix(p.instruction->b, p.n, p.k, random);
    if (p.instruction->is_sparse()) sparse = emu::compress(emu::prune(a));
    operands.a = sparse ? &sparse->values : &a;
    operands.sparse = sparse ? &*sparse : nullptr;
    operands.b_transposed = &b;
  }
};

void kernel_instructions(benchmark::State& state, const char* name) {
  omp_set_num_threads(1);
  const Work w(name);
  double all = 0, mma = 0;
  for (auto _ : state) {
    const emu::KernelRun run = emu::run_kernel(w.kernel, w.operands);
    for (const std::int64_t n : run.instructions) all += double(n);
    mma += double(run.instructions[std::size_t(emu::OpKind::mma)]);
  }
  state.counters["per_s"] = benchmark::Counter(all, benchmark::Counter::kIsRate);
  state.counters["mma_per_s"] = benchmark::Counter(mma, benchmark::Counter::kIsRate);
}

BENCHMARK_CAPTURE(kernel_instructions, f16, "m16n8k16.f32.f16.f16.f32");
BENCHMARK_CAPTURE(kernel_instructions, sparse_f16, "sp.m16n8k32.f32.f16.f16.f32");
BENCHMARK_CAPTURE(kernel_instructions, tf32, "m16n8k8.f32.tf32.tf32.f32");
BENCHMARK_CAPTURE(kernel_instructions, s8, "m16n8k32.s32.s8.s8.s32");
BENCHMARK_CAPTURE(kernel_instructions, sparse_s8, "sp.m16n8k64.s32.s8.s8.s32");
BENCHMARK_CAPTURE(kernel_instructions, sparse_s4, "sp.m16n8k128.s32.s4.s4.s32");
BENCHMARK_CAPTURE(kernel_instructions, b1, "m16n8k256.s32.b1.b1.s32.xor");
BENCHMARK_CAPTURE(kernel_instructions, f64, "m8n8k4.f64.f64.f64.f64");

}  // namespace

BENCHMARK_MAIN();
