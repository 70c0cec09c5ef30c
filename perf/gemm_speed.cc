// Speed of the bit-exact float GEMM beside sgemm of the same size on the same cores, in one run. The peer is
// the faster of Eigen and, if its library is on this machine, OpenBLAS. Counters: of_sgemm, the ratio of
// multiply-add rates (dense products, also for the sparse rows); vs_f16, the time in units of f16 -> f32
// dense; vs_dense, the time of a sparse row in units of the dense row of its types.
#include <benchmark/benchmark.h>
#include <dlfcn.h>

#include <Eigen/Core>
#include <chrono>
#include <map>
#include <random>
#include <string>

#include "twofour/emu/matrix/gemm.h"
#include "twofour/emu/matrix/random.h"

namespace {

using namespace twofour;
constexpr int size = 1024;
constexpr double multiply_adds = double(size) * size * size;

template <class Action>
double seconds(const Action& action) {
  const auto start = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Fortran's sgemm of OpenBLAS, loaded if it is there.
using Sgemm = void (*)(const char*, const char*, const int*, const int*, const int*, const float*,
                       const float*, const int*, const float*, const int*, const float*, float*, const int*);
Sgemm find_openblas() {
  void* library = dlopen("libopenblas.so.0", RTLD_NOW);
  return library != nullptr ? reinterpret_cast<Sgemm>(dlsym(library, "sgemm_")) : nullptr;
}

/// Multiply-adds a second of the faster sgemm, each the best of ten runs.
double sgemm_rate() {
  static const double rate = [] {
    const Eigen::MatrixXf a = Eigen::MatrixXf::Random(size, size), b = Eigen::MatrixXf::Random(size, size);
    Eigen::MatrixXf d(size, size);
    const Sgemm openblas = find_openblas();
    const float one = 1, zero = 0;
    double eigen = 1e9, blas = 1e9;
    for (int i = 0; i < 10; ++i) {
      eigen = std::min(eigen, seconds([&] { d.noalias() = a * b; }));
      if (openblas != nullptr)
        blas = std::min(blas, seconds([&] {
                          openblas("N", "N", &size, &size, &size, &one, a.data(), &size, b.data(), &size,
                                   &zero, d.data(), &size);
                        }));
      benchmark::DoNotOptimize(d.data());
    }
    const auto text = [](double s) {
      return s < 1e9 ? std::to_string(multiply_adds / s / 1e9) : "not found";
    };
    benchmark::AddCustomContext("sgemm_GMAC_per_s", "Eigen " + text(eigen) + ", OpenBLAS " + text(blas));
    return multiply_adds / std::min(eigen, blas);
  }();
  return rate;
}

struct Row {
  const char *label, *instruction, *dense;
};
constexpr Row rows[] = {{"f16_f32", "m16n8k16.f32.f16.f16.f32", ""},
                        {"f16_f16", "m16n8k16.f16.f16.f16.f16", ""},
                        {"bf16_f32", "m16n8k16.f32.bf16.bf16.f32", ""},
                        {"tf32_f32", "m16n8k8.f32.tf32.tf32.f32", ""},
                        {"sparse_f16_f32", "sp.m16n8k32.f32.f16.f16.f32", "f16_f32"},
                        {"sparse_f16_f16", "sp.m16n8k32.f16.f16.f16.f16", "f16_f16"},
                        {"sparse_bf16_f32", "sp.m16n8k32.f32.bf16.bf16.f32", "bf16_f32"},
                        {"sparse_tf32_f32", "sp.m16n8k16.f32.tf32.tf32.f32", "tf32_f32"},
                        {"f64", "m8n8k4.f64.f64.f64.f64", ""}};

/// Each row's best time so far, for the ratios between rows.
std::map<std::string, double>& best_times() {
  static std::map<std::string, double> times;
  return times;
}

void bit_exact_gemm(benchmark::State& state, const Row& row) {
  const auto& i = isa::find_instruction(row.instruction);
  std::mt19937_64 random{1};
  const auto a = emu::random_matrix(i.a, size, size, random), b = emu::random_matrix(i.b, size, size, random);
  const emu::SparseMatrix sparse = i.is_sparse() ? emu::compress(emu::prune(a)) : emu::SparseMatrix();
  double best = 1e9;
  for (auto _ : state) {
    const double time = seconds([&] {
      const auto d = i.is_sparse() ? emu::gemm(i, sparse, b) : emu::gemm(i, a, b);
      benchmark::DoNotOptimize(d.row(0).data());
    });
    state.SetIterationTime(time);
    best = std::min(best, time);
  }
  best_times()[row.label] = best;
  state.counters["GMAC_per_s"] = multiply_adds / best / 1e9;
  state.counters["of_sgemm"] = multiply_adds / best / sgemm_rate();
  const auto ratio = [&](const char* counter, const char* base) {
    if (const auto it = best_times().find(base); it != best_times().end())
      state.counters[counter] = best / it->second;
  };
  ratio("vs_f16", "f16_f32");
  ratio("vs_dense", row.dense);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  for (const Row& row : rows)
    benchmark::RegisterBenchmark(row.label, [&row](benchmark::State& state) { bit_exact_gemm(state, row); })
        ->Unit(benchmark::kMillisecond)
        ->UseManualTime()
        ->Iterations(20);
  sgemm_rate();
  benchmark::RunSpecifiedBenchmarks();
}
