// CPU time of one cold latency call: shapes by turns, so that nothing is remembered.
#include <benchmark/benchmark.h>

#include <cmath>
#include <random>

#include "twofour/emu/timing/gemm_latency.h"

namespace {

using namespace twofour;
using enum isa::ElementType;

std::vector<emu::GemmProblem> shapes(isa::ElementType type, bool sparse) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> exponent(3, 14);
  std::vector<emu::GemmProblem> problems(1000);
  for (auto& p : problems) {
    for (auto* size : {&p.m, &p.n, &p.k}) *size = static_cast<std::int64_t>(std::exp2(exponent(random)));
    p.type = type;
    p.sparse = sparse;
  }
  return problems;
}

void cold(benchmark::State& state, isa::ElementType type, bool sparse) {
  const auto machine = isa::load_machine("a100-sxm4-80gb");
  const auto problems = shapes(type, sparse);
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(emu::gemm_latency(problems[i++ % problems.size()], machine));
}
BENCHMARK_CAPTURE(cold, bf16, bf16, false);
BENCHMARK_CAPTURE(cold, f16_sparse, f16, true);
BENCHMARK_CAPTURE(cold, s8, s8, false);
BENCHMARK_CAPTURE(cold, s8_sparse, s8, true);

}  // namespace

BENCHMARK_MAIN();
