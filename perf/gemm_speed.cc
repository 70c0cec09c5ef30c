// Speed of the bit-exact GEMM beside Eigen's sgemm of the same size, both on all cores, in one run. The
// counter `of_sgemm` is the ratio of multiply-add rates.
#include <benchmark/benchmark.h>

#include <Eigen/Core>
#include <chrono>
#include <random>

#include "twofour/emu/matrix/gemm.h"
#include "twofour/emu/matrix/random.h"

namespace {

using namespace twofour;
constexpr std::int64_t size = 1024;
constexpr double multiply_adds = double(size) * size * size;

/// Multiply-adds a second of sgemm: the best of five runs.
double sgemm_rate() {
  static const double rate = [] {
    const Eigen::MatrixXf a = Eigen::MatrixXf::Random(size, size), b = Eigen::MatrixXf::Random(size, size);
    Eigen::MatrixXf d(size, size);
    double best = 0;
    for (int i = 0; i < 5; ++i) {
      const auto start = std::chrono::steady_clock::now();
      d.noalias() = a * b;
      benchmark::DoNotOptimize(d.data());
      best =
          std::max(best, multiply_adds /
                             std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    return best;
  }();
  return rate;
}

void bit_exact_gemm(benchmark::State& state, const char* name) {
  const auto& i = isa::find_instruction(name);
  std::mt19937_64 random{1};
  const auto a = emu::random_matrix(i.a, size, size, random), b = emu::random_matrix(i.b, size, size, random);
  emu::SparseMatrix sparse;
  if (i.is_sparse()) sparse = emu::compress(emu::prune(a));
  const double peer = sgemm_rate();
  const auto start = std::chrono::steady_clock::now();
  for (auto _ : state) {
    auto d = i.is_sparse() ? emu::gemm(i, sparse, b) : emu::gemm(i, a, b);
    benchmark::DoNotOptimize(d.row(0).data());
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double rate = multiply_adds * double(state.iterations()) / seconds;
  state.counters["GMAC_per_s"] = rate / 1e9;
  state.counters["of_sgemm"] = rate / peer;
}

BENCHMARK_CAPTURE(bit_exact_gemm, f16, "m16n8k16.f32.f16.f16.f32")
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(bit_exact_gemm, f16_sparse, "sp.m16n8k32.f32.f16.f16.f32")
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(bit_exact_gemm, bf16, "m16n8k16.f32.bf16.bf16.f32")
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(bit_exact_gemm, tf32, "m16n8k8.f32.tf32.tf32.f32")
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(bit_exact_gemm, s8, "m16n8k32.s32.s8.s8.s32")->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(bit_exact_gemm, s4_sparse, "sp.m16n8k128.s32.s4.s4.s32")
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(bit_exact_gemm, b1, "m16n8k256.s32.b1.b1.s32.xor")
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
