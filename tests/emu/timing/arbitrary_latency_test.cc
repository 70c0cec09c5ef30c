// Laws of the latency of w_p a_q products, whatever the constants.
#include "twofour/emu/timing/arbitrary_latency.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

const isa::Machine a100 = isa::load_machine("a100-sxm4-80gb");

std::vector<GemmProblem> shapes(int count) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> exponent(3, 13);
  const auto size = [&] { return static_cast<std::int64_t>(std::exp2(exponent(random))); };
  std::vector<GemmProblem> problems;
  for (int i = 0; i < count; ++i) {
    GemmProblem p;
    p.m = size(), p.n = size(), p.k = size();
    problems.push_back(p);
  }
  return problems;
}

double us(const GemmProblem& p, int w, int a, const isa::Machine& machine = a100) {
  return arbitrary_gemm_latency(p, {w, a, a}, machine).microseconds;
}

TEST(ArbitraryLatency, OneBitByOneBitIsTheSingleBitGemm) {
  for (GemmProblem p : shapes(50)) {
    const Latency bits = arbitrary_gemm_latency(p, {1, 1, 1}, a100);
    p.type = ElementType::b1;
    p.output_bits = 1;
    const Latency native = gemm_latency(p, a100);
    EXPECT_EQ(bits.microseconds, native.microseconds);
    EXPECT_EQ(bits.low_us, native.low_us);
    EXPECT_EQ(bits.peak_fraction, native.peak_fraction);
  }
}

TEST(ArbitraryLatency, MoreBitsNeverTakeLess) {
  for (const GemmProblem& p : shapes(30))
    for (int w = 1; w <= 8; ++w)
      for (int a = 1; a <= 8; ++a) {
        // Tile quantisation: one more plane may fit a tile better, by little.
        if (w > 1) {
          EXPECT_GE(us(p, w, a), 0.97 * us(p, w - 1, a))
              << p.m << "x" << p.n << "x" << p.k << " w" << w << "a" << a;
        }
        if (a > 1) {
          EXPECT_GE(us(p, w, a), 0.97 * us(p, w, a - 1))
              << p.m << "x" << p.n << "x" << p.k << " w" << w << "a" << a;
        }
      }
}

TEST(ArbitraryLatency, NotBelowThePeakNorTheBytesOfItsPlanes) {
  for (const GemmProblem& p : shapes(50))
    for (const auto& [w, a] : {std::pair(1, 2), {2, 2}, {3, 5}, {8, 8}}) {
      const Latency l = arbitrary_gemm_latency(p, {w, a, a}, a100);
      const double fma = double(p.m) * double(p.n) * double(p.k) * w * a;
      EXPECT_GE(l.microseconds, fma / (16384.0 * 108 * 1410));  // FMA a cycle and SM, SMs, MHz
      const double bytes =
          (double(p.m) * double(p.k) * w + double(p.n) * double(p.k) * a + double(p.m) * double(p.n) * a) / 8;
      EXPECT_NEAR(l.dram_floor_us, bytes / (a100.dram_read_gbs * 1e3), 1e-9 * l.dram_floor_us);
      EXPECT_EQ(l.fidelity, TimingFidelity::estimated);
      EXPECT_LT(l.low_us, l.microseconds);
      EXPECT_GT(l.high_us, l.microseconds);
    }
}

TEST(ArbitraryLatency, CombiningInTheCtaSavesTheTrafficOfThePlanes) {
  const GemmProblem p{.m = 2048, .n = 8192, .k = 256};
  GemmProblem apart{.m = 2048 * 4, .n = 8192 * 4, .k = 256, .type = ElementType::b1};
  apart.output_bits = 32;  // every plane's sums go to memory
  EXPECT_LT(us(p, 4, 4), 0.5 * gemm_latency(apart, a100).microseconds);
}

/// One multiply-add a plane pair but the first, on 64 integer lanes of 108 SMs at 1410 MHz, after the kernel.
TEST(ArbitraryLatency, PlanesAreCombinedOnTheIntegerLanes) {
  const GemmProblem p{.m = 2048, .n = 8192, .k = 4096};
  const GemmProblem planes = bit_gemm(p, {2, 3, 3});
  EXPECT_EQ(planes.m, 2 * 2048);
  EXPECT_EQ(planes.n, 3 * 8192);
  const Latency kernel = gemm_latency(planes, {.d_bytes = 2048.0 * 8192 * 3 / 8}, a100),
                all = arbitrary_gemm_latency(p, {2, 3, 3}, a100);
  const double added = 2048.0 * 8192 * 5 / (64.0 * 108 * 1410);
  EXPECT_NEAR(all.microseconds - kernel.microseconds, added, 1e-6);
  EXPECT_NEAR(all.cycles - kernel.cycles, added * 1410, 1e-3);
  EXPECT_NEAR(all.high_us / kernel.high_us, all.microseconds / kernel.microseconds, 1e-9);
  EXPECT_NEAR(all.peak_fraction * all.microseconds, kernel.peak_fraction * kernel.microseconds, 1e-9);
}

TEST(ArbitraryLatency, AConvolutionReadsItsPlanesFromTheTensor) {
  const ConvProblem conv{.batch = 8,
                         .height = 28,
                         .width = 28,
                         .channels = 256,
                         .filters = 256,
                         .kernel_h = 3,
                         .kernel_w = 3,
                         .padding = 1};
  const BitWork work{2, 3, 3};
  const Latency as_conv = arbitrary_conv_latency(conv, work, a100);
  const GemmProblem gemm{.m = 256, .n = 8 * 28 * 28, .k = 9 * 256};
  const double tensor = 8.0 * 28 * 28 * 256 * 3 / 8, weights = 256.0 * 2304 * 2 / 8,
               out = 256.0 * 8 * 28 * 28 * 3 / 8;
  EXPECT_NEAR(as_conv.dram_floor_us, (tensor + weights + out) / (a100.dram_read_gbs * 1e3), 1e-9);
  EXPECT_LE(as_conv.microseconds, arbitrary_gemm_latency(gemm, work, a100).microseconds);
}

TEST(ArbitraryLatency, TuringHasOnlyTheSmallXor) {
  const auto t4 = isa::load_machine("t4");
  const GemmProblem p{.m = 256, .n = 4096, .k = 1024};
  EXPECT_GT(us(p, 2, 2, t4), us(p, 2, 2));
}

TEST(ArbitraryLatency, RefusesOtherWidths) {
  const GemmProblem p{.m = 64, .n = 64, .k = 64};
  EXPECT_THROW(us(p, 0, 1), Error);
  EXPECT_THROW(us(p, 1, 9), Error);
  EXPECT_THROW(arbitrary_gemm_latency(p, {1, 1, 0}, a100), Error);
  EXPECT_THROW(arbitrary_gemm_latency({.m = 0, .n = 64, .k = 64}, {2, 2, 2}, a100), Error);
}

}  // namespace
}  // namespace twofour::emu
