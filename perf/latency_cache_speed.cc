// What a call of the latency cache costs when the answer is known, on one and on two threads, beside the
// model itself; and a batch of new problems on one core and on all.
#include <benchmark/benchmark.h>
#include <omp.h>

#include <vector>

#include "twofour/emu/timing/latency_cache.h"

namespace {

using namespace twofour;

const isa::Machine& a100() {
  static const isa::Machine machine = isa::load_machine("a100-sxm4-80gb");
  return machine;
}

std::vector<emu::GemmProblem> problems(std::int64_t count) {
  std::vector<emu::GemmProblem> all;
  for (std::int64_t i = 0; i < count; ++i) {
    emu::GemmProblem p;
    p.m = 64 * (1 + i % 16);
    p.n = 49 * (1 + i / 16 % 16);
    p.k = 64 * (1 + i / 256);
    p.type = i % 2 == 0 ? isa::ElementType::f16 : isa::ElementType::s8;
    all.push_back(p);
  }
  return all;
}

/// range(0) known problems in turn: few stay in the first-level cache, many do not.
void known(benchmark::State& state) {
  static emu::LatencyCache cache(a100());
  const auto all = problems(state.range(0));
  for (const auto& p : all) cache.latency(p);
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(cache.microseconds(all[i]));
    if (++i == all.size()) i = 0;
  }
}
BENCHMARK(known)->Arg(64)->Arg(4096)->Arg(65536)->Threads(1)->Threads(2);

void model(benchmark::State& state) {
  const auto all = problems(256);
  std::size_t i = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(emu::gemm_latency(all[i++ % all.size()], a100()).microseconds);
}
BENCHMARK(model);

/// 4096 new problems at once on range(0) threads; wall time counts here.
void batch(benchmark::State& state) {
  const auto all = problems(4096);
  std::vector<double> times(all.size());
  omp_set_num_threads(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    emu::LatencyCache cache(a100());
    cache.microseconds(all, times);
    benchmark::DoNotOptimize(times.data());
  }
  state.SetItemsProcessed(state.iterations() * 4096);
}
BENCHMARK(batch)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
