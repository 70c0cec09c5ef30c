// Laws that any latency must obey, whatever its constants.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "twofour/emu/timing/conv_latency.h"
#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

using enum isa::ElementType;

const isa::Machine a100 = isa::load_machine("a100-sxm4-80gb");
constexpr isa::ElementType dense_types[] = {f16, bf16, tf32, s8, u8, s4, u4, b1};
constexpr isa::ElementType sparse_types[] = {f16, bf16, tf32, s8, u8, s4, u4};

/// Shapes up to 16384 on a logarithmic scale.
std::vector<GemmProblem> shapes(int count, std::int64_t least = 1) {
  std::mt19937 random(24);
  std::uniform_real_distribution<double> exponent(0, 14);
  const auto size = [&] { return static_cast<std::int64_t>(std::exp2(exponent(random))); };
  std::vector<GemmProblem> problems;
  while (static_cast<int>(problems.size()) < count) {
    GemmProblem p;
    p.m = size();
    p.n = size();
    p.k = size();
    if (std::min({p.m, p.n, p.k}) >= least) problems.push_back(p);
  }
  return problems;
}

double us(const GemmProblem& p, const isa::Machine& machine = a100) {
  return gemm_latency(p, machine).microseconds;
}

/// Peak of dense f16 is 312 TFLOP/s; the factors are those of the A100 whitepaper.
double peak_fma_per_us(const GemmProblem& p) {
  const double factor = p.type == tf32          ? 0.5
                        : isa::is_float(p.type) ? 1
                        : p.type == b1          ? 16
                                                : 16.0 / isa::bits(p.type);
  return 312e6 / 2 * factor * (p.sparse ? 2 : 1);
}

TEST(TimingLaws, NeverAbovePeakNorBelowTheDramFloor) {
  for (auto p : shapes(300))
    for (const bool sparse : {false, true})
      for (const auto type : dense_types) {
        if (sparse && type == b1) continue;
        p.type = type;
        p.sparse = sparse;
        p.launch = Launch::kernel;
        const auto l = gemm_latency(p, a100);
        const double fma = double(p.m) * double(p.n) * double(p.k);
        const double density = sparse ? (isa::bits(type) >= 16 ? 0.5 + 1.0 / 16 : 0.5 + 1.0 / 8) : 1;
        const double bytes =
            (double(p.m) * double(p.k) * density + double(p.n) * double(p.k)) * isa::bits(type) / 8 +
            double(p.m) * double(p.n) * 2;
        EXPECT_GE(l.microseconds, fma / peak_fma_per_us(p) * 0.999);
        EXPECT_GE(l.microseconds, bytes / (a100.dram_read_gbs * 1e3));
        EXPECT_NEAR(l.dram_floor_us, bytes / (a100.dram_read_gbs * 1e3), 1e-9 * l.dram_floor_us);
        EXPECT_LE(l.peak_fraction, 1);
        EXPECT_TRUE(std::isfinite(l.microseconds));
      }
}

// From 8 columns up: below, libraries stream the matrix, and the measured s8 kernels do lose by
// that (65536 x 128 of s8 takes 53 us at M = 2 and 14 us at M = 8). Rows of whole 16 bytes: a longer one may
// be copied in wider pieces.
TEST(TimingLaws, MoreWorkIsNeverFaster) {
  for (auto p : shapes(300, 8))
    for (const auto type : {f16, s8, s4}) {
      p.type = type;
      p.k = (p.k + 31) / 32 * 32;
      const double base = us(p);
      for (const auto size : {&GemmProblem::m, &GemmProblem::n, &GemmProblem::k, &GemmProblem::batch}) {
        auto larger = p;
        larger.*size *= 2;
        EXPECT_GE(us(larger), base * 0.97) << p.m << " x " << p.n << " x " << p.k << " " << isa::name(type);
      }
    }
}

// From 64 columns up: the published sparse tiles are at least 64 wide and their k-chunks twice as long.
TEST(TimingLaws, SparseCostsNoMoreThanItsMetadata) {
  for (auto p : shapes(300, 64))
    for (const auto type : sparse_types) {
      p.type = type;
      const double dense = us(p);
      p.sparse = true;
      EXPECT_LE(us(p), dense * 1.125) << p.m << " x " << p.n << " x " << p.k << " " << isa::name(type);
    }
}

TEST(TimingLaws, SparsePaysOnLargeGemmsAndNeverTwice) {
  for (const auto type : sparse_types) {
    GemmProblem p{8192, 8192, 8192, type};
    const double dense = us(p);
    p.sparse = true;
    EXPECT_GT(dense / us(p), 1.2) << isa::name(type);
    EXPECT_LT(dense / us(p), 2.0) << isa::name(type);
  }
}

TEST(TimingLaws, MoreSmsAreNeverSlower) {
  auto larger = a100;
  larger.sms = 128;
  for (const auto& p : shapes(300))
    EXPECT_LE(us(p, larger), us(p) * 1.0001) << p.m << " x " << p.n << " x " << p.k;
}

TEST(TimingLaws, FasterMemoryIsNeverSlower) {
  auto faster = a100;
  faster.dram_read_gbs *= 1.5;
  for (const auto& p : shapes(300)) EXPECT_LE(us(p, faster), us(p) * 1.0001);
}

// The measured bf16 GEMMs with M <= 17, N <= 128 and K <= 128 take 2.46 to 4.67 us. te42kyfo/gpu-benches:
// tiny kernels follow each other at 1.35 us in a graph and at 2.73 us in a stream.
TEST(TimingLaws, TinyGemmTakesAboutItsLaunch) {
  GemmProblem p{16, 32, 32, bf16};
  EXPECT_GE(us(p), 2.46);
  EXPECT_LE(us(p), 4.67);
  EXPECT_EQ(gemm_latency(p, a100).bound, Bound::launch);
  const double graph = us(p);
  p.launch = Launch::stream;
  EXPECT_NEAR(us(p) - graph, 2.73 - 1.35, 1e-9);
}

TEST(TimingLaws, TypesRankByTheirPeakOnLargeGemms) {
  double slower = 1e9;
  for (const auto type : {tf32, f16, s8, s4, b1}) {
    const double time = us({16384, 16384, 16384, type});
    EXPECT_LT(time, slower / 1.5) << isa::name(type);
    slower = time;
  }
}

TEST(TimingLaws, SplitKServesSmallOutputsWithLongSums) {
  EXPECT_GT(gemm_latency({256, 64, 65536, bf16}, a100).schedule.splits, 1);
  EXPECT_EQ(gemm_latency({8192, 8192, 512, bf16}, a100).schedule.splits, 1);
}

TEST(TimingLaws, TheAnswerIsTheBestOfItsSchedules) {
  const Schedule one{.tile = {128, 128, 64, 4, 2, 2}},
      split{.tile = {64, 64, 128, 5, 2, 2}, .decomposition = Decomposition::split_k, .splits = 4};
  for (auto p : shapes(200, 256)) {
    p.type = bf16;
    const auto best = gemm_latency(p, a100);
    EXPECT_DOUBLE_EQ(schedule_latency(p, best.schedule, a100).microseconds, best.microseconds);
    if (p.k < 4 * 2 * 64) continue;
    for (const auto& s : {one, split})
      EXPECT_LE(best.microseconds, schedule_latency(p, s, a100).microseconds * 1.0001);
  }
}

// Candidates are skipped by a lower bound: it must never skip the best, whatever the width of D.
TEST(TimingLaws, NoTileBeatsTheAnswer) {
  for (auto p : shapes(200, 16)) {
    p.type = p.m % 2 == 0 ? bf16 : tf32;
    p.output_bits = p.k % 3 == 0 ? 8 : p.k % 3 == 1 ? 16 : 32;
    const double best = us(p);
    for (const auto& tile : tiles(false)) {
      EXPECT_LE(best, schedule_latency(p, {.tile = tile}, a100).microseconds);
      for (const int splits : {2, 3, 8}) {
        if (p.k < 2 * splits * tile.k(p.type) || p.m * p.n > 512 * 512) continue;
        EXPECT_LE(best, schedule_latency(p, {tile, Decomposition::split_k, splits}, a100).microseconds);
      }
    }
  }
}

TEST(TimingLaws, StreamKFillsALastWave) {
  const GemmProblem p{128 * 109, 128, 8192, f16};  // one tile more than one a SM
  Schedule s{.tile = {128, 128, 64, 5, 2, 2}};
  const double tiles = schedule_latency(p, s, a100).microseconds;
  s.decomposition = Decomposition::stream_k;
  EXPECT_LT(schedule_latency(p, s, a100).microseconds, tiles);
}

TEST(TimingLaws, RefusesSchedulesThatDoNotFit) {
  const GemmProblem p{1024, 1024, 1024, f16};
  const Schedule good{.tile = {128, 128, 64, 4, 2, 2}};
  EXPECT_NO_THROW(schedule_latency(p, good, a100));
  const auto refused = [&](auto change) {
    auto s = good;
    change(s);
    EXPECT_THROW(schedule_latency(p, s, a100), Error);
  };
  refused([](Schedule& s) { s.tile.stages = 24; });  // 384 KiB of shared memory
  refused([](Schedule& s) { s.tile.stages = 1; });
  refused([](Schedule& s) { s.tile.m = 0; });
  refused([](Schedule& s) { s.tile.m = 48; });  // 24 rows a warp
  refused([](Schedule& s) { s.tile.warps_m = 0; });
  refused([](Schedule& s) { s.splits = 2; });                                             // without split-k
  refused([](Schedule& s) { s.decomposition = Decomposition::split_k, s.splits = 33; });  // 32 k-chunks
  refused([](Schedule& s) { s.alignment = 2; });
  refused([](Schedule& s) { s.raster_columns = 0; });
}

TEST(TimingLaws, LongKernelsSlowDownToTheSustainedClock) {
  const double sustained = a100.sustained_mhz / a100.boost_mhz;  // 0.87
  const auto share = [](std::int64_t k) { return gemm_latency({8192, 8192, k, bf16}, a100).peak_fraction; };
  EXPECT_LT(share(65536), sustained);
  auto free = a100;
  free.sustained_mhz = free.boost_mhz;
  const auto slower = [&](std::int64_t m, std::int64_t n, std::int64_t k) {
    return us({m, n, k, bf16}) / us({m, n, k, bf16}, free) - 1;
  };
  const double brief = slower(3072, 1152, 2048), lasting = slower(16384, 16384, 16384);  // 50 us, 35 ms
  EXPECT_GT(lasting, 0.05);
  EXPECT_LE(lasting, 1 / sustained - 1);
  EXPECT_LT(brief, lasting / 3);
}

// Wave quantisation. Two tiles beyond one a SM nearly double the time (L2 has fewer SMs to feed meanwhile),
// and filling that second wave costs little. Where two CTAs share a SM, the third takes about half of a
// round: four warps alone nearly fill the tensor pipe (the simulator of emu/kernel: 551 cycles a chunk beside
// 1082).
TEST(TimingLaws, TilesBeyondAWaveCostTheirShareOfOne) {
  auto machine = a100;
  const auto cycles = [&](const Tile& tile, std::int64_t rows, std::int64_t columns) {
    return schedule_latency({tile.m * rows, tile.n * columns, 4096, f16}, {.tile = tile}, machine).cycles;
  };
  const Tile large{256, 128, 64, 3, 4, 2}, small{128, 128, 64, 4, 2, 2};
  const double full = cycles(large, 12, 9), more = cycles(large, 11, 10), twice = cycles(large, 18, 12);
  EXPECT_GT(more / full, 1.7);  // 1.02 without quantisation
  EXPECT_LT(twice / more, 1.2);
  machine.l2_read_gbs = machine.l2_bytes_per_clk_sm = 1e9;  // the tensor pipe binds
  const double two = cycles(small, 18, 12), three = cycles(small, 18, 18), four = cycles(small, 24, 18);
  EXPECT_GT((three - two) / (four - two), 0.45);
  EXPECT_LT((three - two) / (four - two), 0.7);  // 1: a whole round
}

// 288 tiles of 128 x 128 take a round of two CTAs an SM and one of one; counted in whole rounds they take as
// long as two rounds of 256 x 128, which the libraries of the bf16 rows choose.
TEST(TimingLaws, MeasuredFloatsChooseTilesByWholeRounds) {
  GemmProblem p{2048, 2304, 4096, bf16};
  const auto best = gemm_latency(p, a100);
  p.launch = Launch::as_measured;
  const auto measured = gemm_latency(p, a100);
  EXPECT_GT(measured.microseconds, 1.03 * best.microseconds);
  EXPECT_DOUBLE_EQ(measured.microseconds, schedule_latency(p, measured.schedule, a100).microseconds);
  p.type = s8;
  EXPECT_DOUBLE_EQ(gemm_latency(p, a100).iteration.tensor_pipe,
                   gemm_latency({p.m, p.n, p.k, s8}, a100).iteration.tensor_pipe);
}

// Rows of K elements decide how wide the copies are: 16, 8 and 4 bytes by cp.async, 2 through registers.
TEST(TimingLaws, NarrowRowsCostMore) {
  const Schedule s{.tile = {256, 128, 64, 3, 4, 2}};
  const auto at = [&](std::int64_t k, bool sparse = false) {
    return schedule_latency({3072, 1152, k, f16, sparse}, s, a100).microseconds;
  };
  EXPECT_LT(at(4096), at(4092));  // all 128 chunks of 32 columns
  EXPECT_LT(at(4092), at(4094));
  EXPECT_LT(at(4094), at(4095));
  EXPECT_LT(at(4095), 1.25 * at(4096));
  EXPECT_NEAR(at(4088), at(4096), 0.2);  // DRAM reads a little less
  auto four = s;
  four.alignment = 4;
  EXPECT_NEAR(schedule_latency({3072, 1152, 4096, f16}, four, a100).microseconds, at(4094), 0.2);
  EXPECT_LT(us({3072, 1152, 4096, f16}), us({3072, 1152, 4095, f16}));
}

// The 8-bit rows came from a layer profiler in which weights stream faster.
TEST(TimingLaws, LayerProfiledIntegersStreamFaster) {
  GemmProblem p{8, 65536, 8192, s8};
  const double graph = us(p);
  p.launch = Launch::as_measured;
  const double profiled = us(p) - fitted_constants.layer_us - fitted_constants.layer_gemm_us;
  EXPECT_NEAR(profiled / graph, fitted_constants.dram_efficiency / fitted_constants.layer_dram_efficiency,
              0.02);
}

TEST(TimingLaws, SlowerPowerOrSharedMemoryIsNeverFaster) {
  auto throttled = a100, narrow = a100;
  throttled.sustained_mhz /= 2;
  narrow.smem_bytes_per_clk /= 2;
  for (const auto& p : shapes(200)) {
    EXPECT_GE(us(p, throttled) * 1.0001, us(p));
    EXPECT_GE(us(p, narrow) * 1.0001, us(p));
  }
}

// Any schedule, not only the answer.
TEST(TimingLaws, NoScheduleBeatsTheTensorFloor) {
  for (auto p : shapes(100, 64)) {
    for (const auto decomposition :
         {Decomposition::data_parallel, Decomposition::split_k, Decomposition::stream_k}) {
      const Schedule s{.tile = {128, 128, 64, 4, 2, 2}, .decomposition = decomposition};
      const auto l = schedule_latency(p, s, a100);
      EXPECT_GE(l.microseconds, l.tensor_floor_us);
      if (decomposition == Decomposition::stream_k) continue;  // the libraries of the A100 have none
      EXPECT_LE(gemm_latency(p, a100).microseconds, l.microseconds * 1.0001);
    }
  }
}

TEST(TimingLaws, BandHoldsTheAnswerAndWidensWhereNobodyMeasured) {
  const auto width = [](const Latency& l) {
    EXPECT_LE(l.low_us, l.microseconds);
    EXPECT_GE(l.high_us, l.microseconds);
    return std::log(l.high_us / l.low_us);
  };
  const GemmProblem p{4096, 4096, 4096, f16};
  const double measured = width(gemm_latency(p, a100));
  auto sparse = p, kernel = p;
  sparse.sparse = true;
  kernel.launch = Launch::kernel;
  auto other = a100;
  other.name = "another";
  EXPECT_NEAR(width(gemm_latency(sparse, a100)), 2 * measured, 1e-9);
  EXPECT_NEAR(width(gemm_latency(kernel, a100)), 2 * measured, 1e-9);
  EXPECT_NEAR(width(gemm_latency(p, other)), 2 * measured, 1e-9);
  EXPECT_NEAR(width(gemm_latency(sparse, other)), 3 * measured, 1e-9);
}

TEST(TimingLaws, HugeSizesStayFinite) {
  const std::int64_t huge = std::int64_t{1} << 40;
  for (const auto& p :
       {GemmProblem{huge, huge, huge, s8}, GemmProblem{huge, 1, huge, f16}, GemmProblem{1, 1, huge, b1}}) {
    const auto l = gemm_latency(p, a100);
    EXPECT_TRUE(std::isfinite(l.microseconds));
    EXPECT_GE(l.microseconds, l.tensor_floor_us);
    EXPECT_GE(l.microseconds, l.dram_floor_us);
  }
}

TEST(TimingLaws, RefusesWhatTheHardwareLacks) {
  EXPECT_THROW(gemm_latency({64, 64, 64, b1, true}, a100), Error);
  EXPECT_THROW(gemm_latency({64, 64, 64, f64}, a100), Error);
  EXPECT_THROW(gemm_latency({64, 64, 64, f64, true}, a100), Error);
  EXPECT_THROW(gemm_latency({64, 64, 64, f32}, a100), Error);
  EXPECT_THROW(gemm_latency({64, 64, 64, s32}, a100), Error);
  EXPECT_THROW(gemm_latency({0, 64, 64, f16}, a100), Error);
  EXPECT_THROW(gemm_latency({64, -1, 64, f16}, a100), Error);
  EXPECT_THROW(gemm_latency({64, 64, (std::int64_t{1} << 40) + 1, f16}, a100), Error);
}

TEST(TimingLaws, FidelityFollowsTheMeasurements) {
  EXPECT_EQ(gemm_latency({64, 64, 64, bf16}, a100).fidelity, TimingFidelity::measured);
  EXPECT_EQ(gemm_latency({64, 64, 64, s8}, a100).fidelity, TimingFidelity::measured);
  EXPECT_EQ(gemm_latency({64, 64, 64, f16, true}, a100).fidelity, TimingFidelity::derived);
  EXPECT_EQ(gemm_latency({64, 64, 64, tf32}, a100).fidelity, TimingFidelity::derived);
  EXPECT_EQ(gemm_latency({64, 64, 128, s4, true}, a100).fidelity, TimingFidelity::estimated);
}

TEST(Conv, PointwiseIsTheGemm) {
  const auto conv =
      conv_latency({.batch = 32, .height = 28, .width = 28, .channels = 256, .filters = 512}, a100);
  const auto gemm = gemm_latency({512, 32 * 28 * 28, 256, f16}, a100);
  EXPECT_DOUBLE_EQ(conv.microseconds, gemm.microseconds);
}

TEST(Conv, ReadsTheTensorAndNotIm2col) {
  const ConvProblem c{.batch = 32,
                      .height = 56,
                      .width = 56,
                      .channels = 64,
                      .filters = 64,
                      .kernel_h = 3,
                      .kernel_w = 3,
                      .padding = 1};
  const auto conv = conv_latency(c, a100);
  const double bytes = 2.0 * (32 * 56 * 56 * 64 + 9 * 64 * 64 + 32 * 56 * 56 * 64);
  EXPECT_NEAR(conv.dram_floor_us, bytes / (a100.dram_read_gbs * 1e3), 1e-6);
  EXPECT_LT(conv.microseconds, us({64, 32 * 56 * 56, 9 * 64, f16}));
}

TEST(Conv, RefusesAKernelLargerThanItsInput) {
  EXPECT_THROW(
      conv_latency({.height = 2, .width = 2, .channels = 8, .filters = 8, .kernel_h = 3, .kernel_w = 3},
                   a100),
      Error);
  EXPECT_THROW(conv_latency({.height = 8, .width = 8, .channels = 0, .filters = 8}, a100), Error);
}

}  // namespace
}  // namespace twofour::emu
