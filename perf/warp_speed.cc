// Instructions a second through the warp level's registers, on one core, of processor time. Counters:
// `per_s`, `of_target` (1,000,000 a second), and `of_definition`, how many times the scalar definition's rate
// that is.
#include <benchmark/benchmark.h>

#include <ctime>
#include <random>

#include "twofour/emu/warp/mma.h"
#include "twofour/isa/layout.h"

namespace {

using namespace twofour;
constexpr double target = 1e6;

/// A random word of the type, near 1 where it is a float.
std::uint64_t random_word(isa::ElementType type, std::mt19937_64& random) {
  const std::uint64_t word = random();
  switch (type) {
    case isa::ElementType::f16: return (word & 0x83ff) | 0x3800 | (word & 0x0c00);
    case isa::ElementType::bf16: return (word & 0x81ff) | 0x3e00;
    case isa::ElementType::tf32:
    case isa::ElementType::f32: return (word & 0x81ffffff) | 0x3e000000;
    case isa::ElementType::f64: return (word & 0x803fffffffffffff) | 0x3fc0000000000000;
    default: return word;
  }
}

emu::Fragment random_fragment(const isa::Instruction& i, isa::Operand o, std::mt19937_64& random) {
  emu::Fragment f;
  const int width = isa::bits(isa::element(i, o));
  const std::uint64_t mask = width == 64 ? ~std::uint64_t(0) : (std::uint64_t(1) << width) - 1;
  for (int lane = 0; lane < emu::warp_lanes; ++lane)
    for (int index = 0; index < isa::elements_per_lane(i, o); ++index)
      emu::put_element(f, lane, index, width, random_word(isa::element(i, o), random) & mask);
  return f;
}

emu::MmaOperands random_operands(const isa::Instruction& i) {
  std::mt19937_64 random{1};
  emu::MmaOperands x{random_fragment(i, isa::Operand::a, random), random_fragment(i, isa::Operand::b, random),
                     random_fragment(i, isa::Operand::c, random)};
  for (auto& word : x.metadata) word = i.a == isa::ElementType::tf32 ? 0x4e4e44eeu : 0x48ce9d4eu;
  return x;
}

/// Processor seconds an instruction takes by the scalar definition.
double definition_seconds(const isa::Instruction& i, const emu::MmaOperands& x) {
  constexpr int runs = 200;
  const std::clock_t start = std::clock();
  for (int n = 0; n < runs; ++n) benchmark::DoNotOptimize(emu::execute_by_definition(i, x));
  return double(std::clock() - start) / CLOCKS_PER_SEC / runs;
}

void warp_instruction(benchmark::State& state, const char* name) {
  const auto& i = isa::find_instruction(name);
  emu::MmaOperands x = random_operands(i);
  const double slow = definition_seconds(i, x);
  for (auto _ : state) {
    benchmark::DoNotOptimize(x);
    benchmark::DoNotOptimize(emu::execute(i, x));
  }
  const auto rate = [](double unit) {
    return benchmark::Counter(unit, benchmark::Counter::kIsIterationInvariantRate);
  };
  state.counters["per_s"] = rate(1);
  state.counters["of_target"] = rate(1 / target);
  state.counters["of_definition"] = rate(slow);
}

BENCHMARK_CAPTURE(warp_instruction, f16, "m16n8k16.f32.f16.f16.f32");
BENCHMARK_CAPTURE(warp_instruction, f16_to_f16, "m16n8k16.f16.f16.f16.f16");
BENCHMARK_CAPTURE(warp_instruction, bf16, "m16n8k16.f32.bf16.bf16.f32");
BENCHMARK_CAPTURE(warp_instruction, tf32, "m16n8k8.f32.tf32.tf32.f32");
BENCHMARK_CAPTURE(warp_instruction, sparse_f16, "sp.m16n8k32.f32.f16.f16.f32");
BENCHMARK_CAPTURE(warp_instruction, s8, "m16n8k32.s32.s8.s8.s32");
BENCHMARK_CAPTURE(warp_instruction, sparse_s8, "sp.m16n8k64.s32.s8.s8.s32");
BENCHMARK_CAPTURE(warp_instruction, s4, "m16n8k64.s32.s4.s4.s32");
BENCHMARK_CAPTURE(warp_instruction, b1, "m16n8k256.s32.b1.b1.s32.xor");
BENCHMARK_CAPTURE(warp_instruction, f64, "m8n8k4.f64.f64.f64.f64");
BENCHMARK_CAPTURE(warp_instruction, wmma_f16, "wmma.mma.row.col.m16n16k16.f32.f32");
BENCHMARK_CAPTURE(warp_instruction, wmma_tf32, "wmma.mma.row.col.m16n16k8.f32.tf32.tf32.f32");
BENCHMARK_CAPTURE(warp_instruction, wmma_s8, "wmma.mma.row.col.m16n16k16.s32.s8.s8.s32");

}  // namespace

BENCHMARK_MAIN();
