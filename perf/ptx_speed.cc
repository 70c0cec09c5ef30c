// Speed of the PTX executor on kernels of examples/kernels, on one thread and on two. One thread: processor
// time, so that a busy machine counts less. Two: the clock on the wall, for Linux adds a running thread's
// time up late; run it on an idle machine. Counters:
// - M_per_s: million warp instructions a second of one core; of_limit: of the 5 million a second a core that
//   are asked for; of_peer: of 0.08 million, what other functional simulators reach (0.01 million with
//   timing).
// - GEMM: GMAC_per_s a core; of_matrix: of the rate of emu::gemm on the same matrices and as many threads,
//   each the best of the same runs (asked for: 0.33). The results of both must be equal.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <optional>

#include "twofour/emu/matrix/gemm.h"
#include "twofour/emu/matrix/metadata_layout.h"
#include "twofour/emu/matrix/random.h"
#include "twofour/emu/ptx/device.h"

namespace {

using namespace twofour;
constexpr double limit = 5e6, peer = 0.08e6;

double processor_seconds() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
}

/// Seconds that a core was busy with an action that keeps so many threads busy.
template <class Action>
double time(int threads, const Action& action) {
  const double processor = processor_seconds();
  const auto wall = std::chrono::steady_clock::now();
  action();
  if (threads == 1) return processor_seconds() - processor;
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - wall).count() * threads;
}

/// A device with one kernel and the parameters of its launch.
class Kernel {
 public:
  Kernel(int threads, const char* file, const char* entry) : entry_(entry) {
    emu::ptx::DeviceOptions options;
    options.threads = threads;
    device_.emplace(isa::load_machine("a100-sxm4-80gb"), options);
    const std::string path = fmt::format(TWOFOUR_SOURCE_DIR "/examples/kernels/{}", file);
    std::ifstream in(path, std::ios::binary);
    module_ = device_->load(emu::ptx::parse(std::string{std::istreambuf_iterator<char>(in), {}}, path));
  }

  void scalar(std::int32_t value) { append(&value, sizeof value); }
  void pointer(std::uint64_t value) { append(&value, sizeof value); }
  std::uint64_t buffer(std::size_t bytes, const void* content = nullptr) {
    const std::uint64_t at = device_->allocate(bytes);
    if (content != nullptr) std::memcpy(device_->bytes(at, bytes).data(), content, bytes);
    pointer(at);
    return at;
  }
  std::uint64_t matrix(const emu::PackedMatrix& m) {
    return buffer(std::size_t(m.rows() * m.row_bytes()), m.row(0).data());
  }
  bool holds(std::uint64_t at, const emu::PackedMatrix& m) {
    const auto bytes = std::size_t(m.rows() * m.row_bytes());
    return std::memcmp(device_->bytes(at, bytes).data(), m.row(0).data(), bytes) == 0;
  }

  /// Warp instructions executed.
  std::uint64_t launch(emu::ptx::Dim3 grid, emu::ptx::Dim3 block, std::uint64_t shared = 0) {
    return device_->launch(*module_, entry_, {grid, block, shared, parameters_}).warp_instructions;
  }

 private:
  void append(const void* value, std::size_t bytes) {
    parameters_.resize((parameters_.size() + bytes - 1) / bytes * bytes);
    const auto* from = static_cast<const std::byte*>(value);
    parameters_.insert(parameters_.end(), from, from + bytes);
  }

  std::string entry_;
  std::optional<emu::ptx::Device> device_;
  std::shared_ptr<emu::ptx::LoadedModule> module_;
  std::vector<std::byte> parameters_;
};

constexpr double never = 1e9;

/// best: seconds of all cores.
void report(benchmark::State& state, double instructions, double best) {
  const double rate = instructions / best;
  state.counters["M_per_s"] = rate / 1e6;
  state.counters["of_limit"] = rate / limit;
  state.counters["of_peer"] = rate / peer;
}

struct Gemm {
  const char *label, *file, *entry, *instruction;
  int size, k;
  int tile = 64;             ///< rows and columns of a CTA
  std::uint64_t shared = 0;  ///< dynamic, bytes
};
constexpr Gemm gemms[] = {
    {"f16", "gemm_dense_f16.ptx", "gemm_dense_f16_f32", "m16n8k16.f32.f16.f16.f32", 512, 512},
    {"f16_f16", "gemm_dense_f16.ptx", "gemm_dense_f16_f16", "m16n8k16.f16.f16.f16.f16", 512, 512},
    {"bf16", "gemm_dense_bf16.ptx", "gemm_dense_bf16", "m16n8k16.f32.bf16.bf16.f32", 512, 512},
    {"tf32", "gemm_dense_tf32.ptx", "gemm_dense_tf32", "m16n8k8.f32.tf32.tf32.f32", 512, 512},
    {"f64", "gemm_dense_f64.ptx", "gemm_dense_f64", "m8n8k4.f64.f64.f64.f64", 512, 496},
    {"s8", "gemm_dense_s8.ptx", "gemm_dense_s8", "m16n8k32.s32.s8.s8.s32", 1024, 1024},
    {"u8", "gemm_dense_u8.ptx", "gemm_dense_u8", "m16n8k32.s32.u8.u8.s32", 1024, 1024},
    {"s4", "gemm_dense_s4.ptx", "gemm_dense_s4", "m16n8k64.s32.s4.s4.s32", 1024, 1024},
    {"b1", "gemm_dense_b1.ptx", "gemm_dense_b1_xor", "m16n8k256.s32.b1.b1.s32.xor", 1024, 4096},
    {"sparse_f16", "gemm_sparse_f16.ptx", "gemm_sparse_f16_f32", "sp.m16n8k32.f32.f16.f16.f32", 512, 512},
    {"sparse_bf16", "gemm_sparse_bf16.ptx", "gemm_sparse_bf16", "sp.m16n8k32.f32.bf16.bf16.f32", 512, 512},
    {"sparse_tf32", "gemm_sparse_tf32.ptx", "gemm_sparse_tf32", "sp.m16n8k16.f32.tf32.tf32.f32", 512, 512},
    {"sparse_s8", "gemm_sparse_s8.ptx", "gemm_sparse_s8", "sp.m16n8k64.s32.s8.s8.s32", 1024, 1024},
    {"sparse_s4", "gemm_sparse_s4.ptx", "gemm_sparse_s4", "sp.m16n8k128.s32.s4.s4.s32", 1024, 1024},
    {"f16_128x128", "gemm_dense_f16.ptx", "gemm_dense_f16_f32_128x128", "m16n8k16.f32.f16.f16.f32", 512, 2048,
     128, 98304},
    {"f16_f16_128x128", "gemm_dense_f16.ptx", "gemm_dense_f16_f16_128x128", "m16n8k16.f16.f16.f16.f16", 512,
     2048, 128, 98304},
    {"bf16_128x128", "gemm_dense_bf16.ptx", "gemm_dense_bf16_128x128", "m16n8k16.f32.bf16.bf16.f32", 512,
     2048, 128, 98304},
    {"tf32_128x128", "gemm_dense_tf32.ptx", "gemm_dense_tf32_128x128", "m16n8k8.f32.tf32.tf32.f32", 512, 2048,
     128, 98304},
    {"s8_128x128", "gemm_dense_s8.ptx", "gemm_dense_s8_128x128", "m16n8k32.s32.s8.s8.s32", 1024, 2048, 128,
     98304},
    {"s4_128x128", "gemm_dense_s4.ptx", "gemm_dense_s4_128x128", "m16n8k64.s32.s4.s4.s32", 1024, 2048, 128,
     98304},
    {"b1_128x128", "gemm_dense_b1.ptx", "gemm_dense_b1_xor_128x128", "m16n8k256.s32.b1.b1.s32.xor", 1024,
     8192, 128, 98304},
    {"sparse_f16_128x128", "gemm_sparse_f16.ptx", "gemm_sparse_f16_f32_128x128",
     "sp.m16n8k32.f32.f16.f16.f32", 512, 2048, 128, 147456},
    {"sparse_bf16_128x128", "gemm_sparse_bf16.ptx", "gemm_sparse_bf16_128x128",
     "sp.m16n8k32.f32.bf16.bf16.f32", 512, 2048, 128, 147456},
    {"sparse_tf32_128x128", "gemm_sparse_tf32.ptx", "gemm_sparse_tf32_128x128",
     "sp.m16n8k16.f32.tf32.tf32.f32", 512, 2048, 128, 147456},
    {"sparse_s8_128x128", "gemm_sparse_s8.ptx", "gemm_sparse_s8_128x128", "sp.m16n8k64.s32.s8.s8.s32", 1024,
     4096, 128, 147456},
    {"sparse_s4_128x128", "gemm_sparse_s4.ptx", "gemm_sparse_s4_128x128", "sp.m16n8k128.s32.s4.s4.s32", 1024,
     4096, 128, 147456}};

/// As codes, or as the words of registers for selector 0.
void metadata(Kernel& kernel, const isa::Instruction& i, const emu::SparseMatrix& a, bool words) {
  if (!words) {
    kernel.buffer(a.codes.size(), a.codes.data());
    return;
  }
  const emu::IntegerArray e =
      emu::encode_metadata({a.rows(), a.groups(), a.codes}, {emu::MetadataLayout::ptx, i, 0});
  kernel.buffer(4 * e.words.size(), e.words.data());
}

void gemm(benchmark::State& state, const Gemm& g) {
  const auto& i = isa::find_instruction(g.instruction);
  const auto threads = int(state.range(0));
  omp_set_num_threads(threads);
  std::mt19937_64 random{1};
  const auto a = emu::random_matrix(i.a, g.size, g.k, random),
             b = emu::random_matrix(i.b, g.size, g.k, random);
  const emu::SparseMatrix sparse = i.is_sparse() ? emu::compress(emu::prune(a)) : emu::SparseMatrix();
  Kernel kernel(threads, g.file, g.entry);
  kernel.matrix(i.is_sparse() ? sparse.values : a);
  if (i.is_sparse()) metadata(kernel, i, sparse, g.tile == 128);
  kernel.matrix(b);
  const emu::PackedMatrix zeros(i.d, g.size, g.size);
  kernel.matrix(zeros);
  const std::uint64_t result = kernel.matrix(zeros);
  for (const int value : {g.size, g.size, g.k}) kernel.scalar(value);
  double best = never, matrix = never;
  std::uint64_t instructions = 0;
  emu::PackedMatrix d;
  for (auto _ : state) {
    const auto ctas = std::uint32_t(g.size / g.tile);
    const double t = time(threads, [&] {
      instructions = kernel.launch({ctas, ctas, 1}, {128, 1, 1}, g.shared);
    });
    best = std::min(best, t);
    state.SetIterationTime(t);
    matrix = std::min(
        matrix, time(threads, [&] { d = i.is_sparse() ? emu::gemm(i, sparse, b) : emu::gemm(i, a, b); }));
  }
  if (!kernel.holds(result, d)) return state.SkipWithError("not the bits of the whole-matrix path");
  report(state, double(instructions), best);
  state.counters["GMAC_per_s"] = double(g.size) * g.size * g.k / best / 1e9;
  state.counters["of_matrix"] = matrix / best;
}

void sgemm(benchmark::State& state) {
  constexpr int size = 512;
  std::mt19937_64 random{1};
  const auto threads = int(state.range(0));
  Kernel kernel(threads, "sgemm.ptx", "sgemm");
  kernel.matrix(emu::random_matrix(isa::ElementType::f32, size, size, random));
  kernel.matrix(emu::random_matrix(isa::ElementType::f32, size, size, random));
  kernel.buffer(4 * size * size);
  for (int n = 0; n < 3; ++n) kernel.scalar(size);
  double best = never;
  std::uint64_t instructions = 0;
  for (auto _ : state) {
    const double t = time(threads, [&] {
      instructions = kernel.launch({size / 64, size / 64, 1}, {256, 1, 1});
    });
    best = std::min(best, t);
    state.SetIterationTime(t);
  }
  report(state, double(instructions), best);
}

void reduction(benchmark::State& state) {
  constexpr int blocks = 1 << 13;
  std::mt19937_64 random{1};
  const auto threads = int(state.range(0));
  Kernel kernel(threads, "reduction.ptx", "reduction_f32");
  kernel.matrix(emu::random_matrix(isa::ElementType::f32, blocks, 256, random));
  kernel.buffer(4 * blocks);
  double best = never;
  std::uint64_t instructions = 0;
  for (auto _ : state) {
    const double t = time(threads, [&] { instructions = kernel.launch({blocks, 1, 1}, {256, 1, 1}); });
    best = std::min(best, t);
    state.SetIterationTime(t);
  }
  report(state, double(instructions), best);
}

template <class Function>
void add(const char* name, const Function& function) {
  benchmark::RegisterBenchmark(name, function)
      ->ArgName("threads")
      ->Arg(1)
      ->Arg(2)
      ->Unit(benchmark::kMillisecond)
      ->UseManualTime()
      ->Iterations(10);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  add("sgemm", sgemm);
  add("reduction", reduction);
  for (const Gemm& g : gemms) add(g.label, [&g](benchmark::State& state) { gemm(state, g); });
  benchmark::RunSpecifiedBenchmarks();
}
