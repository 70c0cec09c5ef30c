#include "twofour/emu/kernel/simulate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "twofour/emu/kernel/kernel_streams.h"
#include "twofour/emu/timing/measurements.h"
#include "twofour/emu/timing/sm_pipeline.h"
#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

const isa::Machine a100 = isa::load_machine("a100-sxm4-80gb");

GemmProblem gemm(const char* type, bool sparse, std::int64_t m, std::int64_t n, std::int64_t k) {
  GemmProblem p{m, n, k, isa::parse_element(type), sparse};
  p.output_bits = default_output_bits(p.type);
  p.launch = Launch::kernel;
  return p;
}

Schedule tiled(Tile tile) {
  Schedule s;
  s.tile = tile;
  return s;
}

struct Case {
  const char* type;
  bool sparse;
  Tile tile;
};
const Case cases[] = {{"f16", false, {128, 256, 64, 3, 2, 4}}, {"f16", false, {128, 128, 64, 4, 2, 2}},
                      {"f16", false, {64, 64, 64, 10, 2, 2}},  {"s8", false, {128, 64, 64, 6, 2, 2}},
                      {"f16", true, {128, 128, 128, 3, 2, 2}}, {"s4", true, {64, 128, 128, 6, 2, 2}},
                      {"tf32", false, {64, 64, 128, 5, 2, 2}}};

SmTotals run_ctas(const CtaStream& cta, std::int64_t ctas, int resident, double l2_hit) {
  SmListener nobody;
  MemoryShare share = equal_share(a100);
  share.l2_hit = l2_hit;
  return run_sm({std::vector<const CtaStream*>(static_cast<std::size_t>(ctas), &cta), resident},
                {a100, share}, nobody);
}

CtaStream whole_cta(const std::vector<std::vector<TimedOp>>& warps) {
  CtaStream cta;
  for (const auto& warp : warps) cta.push_back({{warp, 1}});
  return cta;
}

// The streams with repeated k-chunks against all instructions of the CTA one by one.
TEST(KernelStreams, RepeatedChunksTakeAsLongAsAllOfThem) {
  for (const Case& c : cases)
    for (const std::int64_t k : {64, 256, 2048}) {
      Schedule schedule = tiled(c.tile);
      if (k == 2048) schedule.decomposition = Decomposition::split_k, schedule.splits = 2;
      const Kernel kernel = plan_kernel(kernel_problem(gemm(c.type, c.sparse, 512, 512, k), a100), schedule);
      const auto row = grid(kernel).front();
      const KernelStreams streams(kernel, row);
      const auto all = timed_cta(kernel, row);
      const auto one = run_ctas(whole_cta(all), 2, 1, 0.8), other = run_ctas(streams.cta(1 << 30), 2, 1, 0.8);
      EXPECT_EQ(one.cycles, other.cycles) << c.type << " " << c.tile.m << " k " << k;
      EXPECT_EQ(one.instructions, other.instructions);
      double bytes = 0;
      for (const auto& warp : all)
        for (const TimedOp& op : warp) bytes += op.kind == OpKind::cp_async ? op.bytes : 0;
      EXPECT_DOUBLE_EQ(streams.fetched_bytes(), bytes);
    }
}

TEST(KernelStreams, SeveralPiecesOfWorkOfACta) {
  KernelProblem problem = kernel_problem(gemm("f16", false, 512, 512, 2048), a100);
  problem.places = 5;
  Schedule schedule = tiled({128, 128, 64, 4, 2, 2});
  schedule.decomposition = Decomposition::stream_k;
  const Kernel kernel = plan_kernel(problem, schedule);
  const auto row = grid(kernel)[1];
  ASSERT_GT(row.size(), 2u);
  const auto all = run_ctas(whole_cta(timed_cta(kernel, row)), 1, 1, 1);
  const auto repeated = run_ctas(KernelStreams(kernel, row).cta(1 << 30), 1, 1, 1);
  EXPECT_EQ(all.cycles, repeated.cycles);
  EXPECT_EQ(all.instructions, repeated.instructions);
}

TEST(KernelStreams, ShortenedLoopsCountTheirChunks) {
  const Kernel kernel =
      plan_kernel(kernel_problem(gemm("f16", false, 512, 512, 2048), a100), tiled({128, 128, 64, 4, 2, 2}));
  const KernelStreams streams(kernel, grid(kernel).front());
  EXPECT_EQ(streams.chunks(), 64);
  EXPECT_EQ(streams.chunks(20), 20);
  EXPECT_EQ(streams.chunks(1), 4);  // the last stages - 1 fetch nothing; one that does is kept
  EXPECT_EQ(streams.chunks(100), 64);
}

// The time extended from short runs against the run of everything.
TEST(SimulateKernel, ExtensionIsWithinOnePercentOfTheWholeRun) {
  for (const Case& c : cases) {
    const auto problem = gemm(c.type, c.sparse, 4096, 2048, 8192);
    const auto s = simulate_kernel(problem, tiled(c.tile), a100);
    const Kernel kernel = plan_kernel(kernel_problem(problem, a100), tiled(c.tile));
    const KernelStreams streams(kernel, grid(kernel).front());
    const auto whole = run_ctas(streams.cta(1 << 30), s.ctas_of_busiest_sm, s.ctas_per_sm, s.l2_hit);
    EXPECT_NEAR(s.sm_cycles / static_cast<double>(whole.cycles), 1, 0.01)
        << c.type << " " << c.tile.m << " x " << c.tile.n;
  }
}

// What is known of good kernels: a tile of 128 x 256 with 64 x 64 a warp keeps the tensor pipe busy.
TEST(SimulateKernel, ALargeDenseTileKeepsTheTensorPipeBusy) {
  const auto s = simulate_kernel(gemm("f16", false, 4096, 4096, 4096), tiled({128, 256, 64, 3, 2, 4}), a100);
  EXPECT_GT(s.steady.utilisation(Pipe::tensor), 0.9);
  EXPECT_LE(s.steady.utilisation(Pipe::tensor), 1.0001);
  // 128 x 256 x 32 multiply-adds at 1024 a cycle are 1024 cycles.
  EXPECT_GE(s.chunk_cycles, 1024);
  EXPECT_LT(s.chunk_cycles, 1024 / 0.9);
}

// By hand, 128 x 128 x 64 with 64 x 64 a warp, in bytes: dense A and B 16384 each, stored once and read
// twice, 98304, or 768 wavefronts; 1024 cycles of multiply-adds: 75 %. 2:4: A 8192 and 1024 of metadata, 3
// (8192 + 1024 + 16384) are 600 wavefronts; 512 cycles: 117 % (113 % without the metadata).
TEST(SimulateKernel, SharedMemoryBindsSparseKernels) {
  const auto ratio = [](bool sparse) {
    const auto s =
        simulate_kernel(gemm("f16", sparse, 4096, 4096, 65536), tiled({128, 128, 128, 3, 2, 2}), a100);
    const double stretch = a100.mma_stretch;  // of the interval that counts as busy
    return stretch * s.steady.utilisation(Pipe::shared_memory) / s.steady.utilisation(Pipe::tensor);
  };
  EXPECT_NEAR(ratio(false), 0.75, 0.02);
  EXPECT_NEAR(ratio(true), 600.0 / 512, 0.04);
}

TEST(SimulateKernel, LawsOfTime) {
  for (const Case& c : cases) {
    double last = 0;
    for (const std::int64_t k : {256, 1024, 2048, 4096, 16384}) {
      const auto s = simulate_kernel(gemm(c.type, c.sparse, 1024, 1024, k), tiled(c.tile), a100);
      EXPECT_GT(s.microseconds, s.tensor_floor_us);
      EXPECT_GT(s.microseconds, last) << c.type << " " << c.tile.m << " k " << k;
      last = s.microseconds;
    }
    last = 0;
    for (const std::int64_t m : {128, 1024, 4096, 16384, 65536}) {
      const auto s = simulate_kernel(gemm(c.type, c.sparse, m, 1024, 1024), tiled(c.tile), a100);
      // Few rows share fewer tiles of B in L2: a little slower, spread evenly as misses are.
      EXPECT_GE(s.microseconds, 0.97 * last) << c.type << " " << c.tile.m << " m " << m;
      last = s.microseconds;
    }
  }
}

TEST(SimulateKernel, MoreWavesTakeProportionallyLonger) {
  const auto s = [](std::int64_t m) {
    return simulate_kernel(gemm("f16", false, m, 108 * 128, 1024), tiled({128, 128, 64, 4, 2, 2}), a100)
        .sm_cycles;
  };
  // 8, 16 and 32 CTAs a SM: rounds of two.
  EXPECT_NEAR((s(32 * 128) - s(16 * 128)) / (s(16 * 128) - s(8 * 128)), 2, 0.05);
}

// D of 8192 x 8192 in 16 bits is 134 MB, more than L2 holds; operands with k = 64 are 2 MB. DRAM has 1769
// GB/s.
TEST(SimulateKernel, AResultLargerThanL2GoesToDram) {
  const auto s = simulate_kernel(gemm("f16", false, 8192, 8192, 64), tiled({128, 128, 64, 4, 2, 2}), a100);
  const double d_bytes = 8192.0 * 8192 * 2, operand_bytes = 2 * 8192.0 * 64 * 2;
  EXPECT_NEAR(s.dram_cycles, (d_bytes + operand_bytes) / (1769e3 / 1410), 1);
  EXPECT_GT(s.sm_cycles, s.dram_cycles);  // stores wait for it
  const auto small =
      simulate_kernel(gemm("f16", false, 1024, 1024, 64), tiled({128, 128, 64, 4, 2, 2}), a100);
  EXPECT_NEAR(small.dram_cycles, 2 * 1024.0 * 64 * 2 / (1769e3 / 1410), 1);
}

TEST(SimulateKernel, SplitKAddsAKernel) {
  const auto problem = gemm("f16", false, 256, 256, 8192);
  Schedule schedule = tiled({128, 128, 64, 4, 2, 2});
  const auto one = simulate_kernel(problem, schedule, a100);
  EXPECT_EQ(one.ctas, 4);
  EXPECT_EQ(one.second_kernel_cycles, 0);
  schedule.decomposition = Decomposition::split_k, schedule.splits = 8;
  const auto eight = simulate_kernel(problem, schedule, a100);
  EXPECT_EQ(eight.ctas, 32);
  EXPECT_EQ(eight.chunks, one.chunks / 8);
  // It reads eight f32 and writes one f16 an element, at 5448 GB/s and 1410 MHz.
  const double bytes = 256 * 256 * (8 * 4 + 2);
  EXPECT_NEAR(eight.second_kernel_cycles, 2119 + 211 + bytes / (5448e3 / 1410), 1);
  EXPECT_LT(eight.microseconds, one.microseconds / 2);
}

TEST(SimulateKernel, StreamKEvensOutAPartialWave) {
  // 216 + 54 tiles of two a SM: the second wave is a quarter full.
  const auto problem = gemm("f16", false, 128 * 15, 128 * 18, 4096);
  Schedule schedule = tiled({128, 128, 64, 4, 2, 2});
  const auto waves = simulate_kernel(problem, schedule, a100);
  schedule.decomposition = Decomposition::stream_k;
  const auto even = simulate_kernel(problem, schedule, a100);
  EXPECT_EQ(even.ctas, 216);
  EXPECT_LT(even.sm_cycles, waves.sm_cycles);
}

// Measured kernels of an A100, training rows: no constant of the simulator was fitted on them.
TEST(SimulateKernel, MeasuredS8KernelsWithinFifteenPercentOnAverage) {
  const auto rows =
      load_measurements(TWOFOUR_SOURCE_DIR "/data/timing/a100_s8_gemm.csv", Launch::as_measured);
  double error = 0;
  int count = 0, seen = 0;
  for (const auto& row : rows) {
    if (row.held_out || seen++ % 101 != 0) continue;
    const auto latency = gemm_latency(row.problem, a100);
    if (latency.gemv) continue;
    const auto s = simulate_kernel(row.problem, tiled(latency.schedule.tile), a100);
    error += std::abs(s.microseconds / row.microseconds - 1);
    ++count;
  }
  EXPECT_GT(count, 10);
  EXPECT_LT(error / count, 0.15);
}

// The im2col matrix of a 3 x 3 kernel holds every pixel nine times; DRAM delivers it once. The SM executes
// the same mma, and more address instructions.
TEST(SimulateKernel, ConvolutionReadsPixelsAndComputesItsGemm) {
  ConvProblem conv;
  conv.batch = 32, conv.height = conv.width = 56, conv.channels = 256, conv.filters = 256;
  conv.kernel_h = conv.kernel_w = 3, conv.padding = 1;
  auto matrix = implicit_gemm(conv).gemm;
  EXPECT_EQ(matrix.k, 9 * 256);
  const Schedule schedule = tiled({128, 128, 64, 4, 2, 2});
  const auto c = simulate_kernel(conv, schedule, a100), g = simulate_kernel(matrix, schedule, a100);
  EXPECT_LT(c.dram_cycles, 0.4 * g.dram_cycles);
  EXPECT_EQ(c.ctas, g.ctas);
  EXPECT_EQ(c.chunks, g.chunks);
  EXPECT_DOUBLE_EQ(c.tensor_floor_us, g.tensor_floor_us);
  EXPECT_GT(c.run.totals.instructions, g.run.totals.instructions);
}

// A caller learns from one run where the main loop of the run that a listener sees will be.
TEST(SimulateKernel, TheObservedRunIsKnownWithoutAListener) {
  const auto problem = gemm("f16", false, 1024, 1024, 8192);
  const Schedule schedule = tiled({128, 128, 64, 4, 2, 2});
  const auto s = simulate_kernel(problem, schedule, a100);
  SmListeners none;
  EXPECT_GT(s.observed_cycles, 0);
  EXPECT_EQ(simulate_kernel(problem, schedule, a100, &none).observed_cycles, s.observed_cycles);
}

TEST(SimulateKernel, Refusals) {
  EXPECT_THROW(simulate_kernel(gemm("f16", false, 64, 64, 33), tiled({64, 64, 64, 5, 2, 2}), a100), Error);
  EXPECT_THROW(simulate_kernel(gemm("b1", true, 64, 64, 256), tiled({64, 64, 64, 5, 2, 2}), a100), Error);
  auto p = gemm("f16", false, 64, 64, 64);
  p.output_bits = 24;
  EXPECT_THROW(simulate_kernel(p, tiled({64, 64, 64, 5, 2, 2}), a100), Error);
}

// The latency model beside the simulation of its own schedule: perf/kernel_accuracy's bound by the model's
// time, which holds all of its pairs but 5 % at either end, and no pair beyond its worst (docs/accuracy.md).
TEST(SimulateKernel, TheLatencyModelStaysWithinItsBound) {
  int checked = 0, inside = 0;
  for (const auto& [type, sparse] : {std::pair("f16", false), {"s8", false}, {"tf32", false}, {"f16", true}})
    for (const auto& [m, n, k] :
         {std::tuple(256, 512, 512), {1024, 512, 2048}, {1024, 4096, 2048}, {4096, 4096, 2048}}) {
      auto p = gemm(type, sparse, m, n, k);
      p.launch = Launch::graph;
      const auto l = gemm_latency(p, a100);
      const double ratio = simulate_kernel(p, l.schedule, a100).microseconds / l.microseconds;
      EXPECT_GT(ratio, 0.75) << type << " " << sparse << " " << m << " x " << n << " x " << k;
      EXPECT_LT(ratio, 1.35) << type << " " << sparse << " " << m << " x " << n << " x " << k;
      inside += l.microseconds < 10 ? ratio > 0.95 && ratio < 1.27 : ratio > 0.84 && ratio < 1.10;
      ++checked;
    }
  EXPECT_GE(inside, checked * 9 / 10);
}

// Narrow copies issue more instructions, which cost little: the model's charge lies within 6 % of the
// simulated one.
TEST(SimulateKernel, NarrowCopiesCostWhatTheModelCharges) {
  auto machine = a100;
  machine.sustained_mhz = machine.boost_mhz;
  double most = 1;
  for (const Tile& tile :
       {Tile{256, 128, 64, 3, 4, 2}, Tile{128, 128, 64, 4, 2, 2}, Tile{64, 64, 64, 10, 2, 2}}) {
    const auto p = gemm("f16", false, tile.m * 24, tile.n * 18, 4096);
    const auto cycles = [&](int alignment) {
      Schedule s = tiled(tile);
      s.alignment = alignment;
      return std::pair(simulate_kernel(p, s, machine).cycles, schedule_latency(p, s, machine).cycles);
    };
    const auto [simulated, modelled] = cycles(16);
    for (const int alignment : {8, 4}) {
      const auto narrow = cycles(alignment);
      EXPECT_NEAR(narrow.first / simulated, narrow.second / modelled, 0.06) << tile.m << " " << alignment;
      EXPECT_GE(narrow.second, modelled);
      most = std::max(most, narrow.second / modelled);
    }
  }
  EXPECT_GT(most, 1.02);
}

}  // namespace
}  // namespace twofour::emu
