// w_p a_q products emulated by bit planes beside the native 8-bit and 4-bit GEMM and beside what a bare AND
// and population count would allow, in one run on one core, by processor time. `GMAC/s` counts multiply-adds
// of the product, not of its planes.
#include <benchmark/benchmark.h>
#include <omp.h>

#include <bit>
#include <random>

#include "twofour/emu/arbitrary/arbitrary_gemm.h"
#include "twofour/emu/matrix/random.h"

namespace {

using namespace twofour;
using isa::ElementType;

constexpr std::int64_t size = 1024;  // M = N = K

void count(benchmark::State& state, double macs) {
  state.counters["GMAC/s"] =
      benchmark::Counter(macs * double(state.iterations()) / 1e9, benchmark::Counter::kIsRate);
}

void native(benchmark::State& state, ElementType a, ElementType b) {
  omp_set_num_threads(1);
  std::mt19937_64 random{1};
  const auto x = emu::random_matrix(a, size, size, random), y = emu::random_matrix(b, size, size, random);
  const auto& i = emu::choose_instruction(a, b, ElementType::s32, false);
  for (auto _ : state) benchmark::DoNotOptimize(emu::gemm(i, x, y).row(0).data());
  count(state, double(size * size * size));
}
BENCHMARK_CAPTURE(native, s8_u8, ElementType::s8, ElementType::u8)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(native, s4_u4, ElementType::s4, ElementType::u4)->Unit(benchmark::kMillisecond);

emu::PackedMatrix random_values(const emu::ValueRange& range, std::mt19937_64& random) {
  emu::PackedMatrix m(ElementType::s8, size, size);
  for (std::int64_t r = 0; r < size; ++r)
    for (std::int64_t c = 0; c < size; ++c)
      m.set_integer(r, c, range.low + std::int64_t(random() % unsigned(range.high - range.low + 1)));
  return m;
}

/// From planes to sums; with packing = 1 from bytes, as a layer runs.
void planes(benchmark::State& state, int p, int q) {
  omp_set_num_threads(1);
  const bool packing = state.range(0) == 1;
  const emu::BitForm form{p, q, emu::BitEncoding::signed_weights};
  std::mt19937_64 random{1};
  const auto w = random_values(emu::weight_range(form), random),
             x = random_values(emu::activation_range(form), random);
  auto planes_w = emu::weight_planes(form, w), planes_x = emu::activation_planes(form, x);
  const auto& i = emu::bit_instruction(form.encoding, isa::Architecture::ampere);
  for (auto _ : state) {
    if (packing) planes_w = emu::weight_planes(form, w), planes_x = emu::activation_planes(form, x);
    benchmark::DoNotOptimize(emu::arbitrary_gemm(form, planes_w, planes_x, i).row(0).data());
  }
  count(state, double(size * size * size));
}
BENCHMARK_CAPTURE(planes, w1a2, 1, 2)->Arg(0)->Arg(1)->ArgName("packing")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(planes, w2a2, 2, 2)->Arg(0)->Arg(1)->ArgName("packing")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(planes, w4a4, 4, 4)->Arg(0)->Arg(1)->ArgName("packing")->Unit(benchmark::kMillisecond);

/// The single-bit GEMM of all planes alone.
void bit_gemm(benchmark::State& state, int p, int q) {
  omp_set_num_threads(1);
  std::mt19937_64 random{1};
  const auto a = emu::random_matrix(ElementType::b1, p * size, size, random),
             b = emu::random_matrix(ElementType::b1, q * size, size, random);
  const auto& i = emu::bit_instruction(emu::BitEncoding::signed_weights, isa::Architecture::ampere);
  for (auto _ : state) benchmark::DoNotOptimize(emu::gemm(i, a, b).row(0).data());
  count(state, double(size * size * size));
}
BENCHMARK_CAPTURE(bit_gemm, w1a2, 1, 2)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(bit_gemm, w2a2, 2, 2)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(bit_gemm, w4a4, 4, 4)->Unit(benchmark::kMillisecond);

/// AND and population count of words in the first-level cache, nothing else, for p q planes a product.
void popcount_limit(benchmark::State& state, int p, int q) {
  constexpr std::size_t words = 1024;
  alignas(64) static std::uint64_t a[words], b[words];
  std::mt19937_64 random{1};
  for (std::size_t i = 0; i < words; ++i) a[i] = random(), b[i] = random();
  for (auto _ : state) {
    benchmark::ClobberMemory();
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < words; ++i) sum += std::uint64_t(std::popcount(a[i] & b[i]));
    benchmark::DoNotOptimize(sum);
  }
  count(state, double(64 * words) / (p * q));
}
BENCHMARK_CAPTURE(popcount_limit, w1a2, 1, 2);
BENCHMARK_CAPTURE(popcount_limit, w2a2, 2, 2);
BENCHMARK_CAPTURE(popcount_limit, w4a4, 4, 4);

}  // namespace

BENCHMARK_MAIN();
