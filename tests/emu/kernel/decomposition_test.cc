#include <gtest/gtest.h>

#include <bit>

#include "kernel_helpers.h"
#include "twofour/emu/kernel/reference_kernel.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

Schedule shared_k(Decomposition d, int splits = 1) {
  Schedule s = schedule_of(32, 32, 64, 3, 2, 1);
  s.decomposition = d;
  s.splits = splits;
  return s;
}

/// Sums of f32 words, ties to even.
PackedMatrix sum(const PackedMatrix& x, const PackedMatrix& y) {
  PackedMatrix out = x;
  for (std::int64_t r = 0; r < x.rows(); ++r)
    for (std::int64_t c = 0; c < x.cols(); ++c)
      out.row_as<float>(r)[c] = x.row_as<float>(r)[c] + y.row_as<float>(r)[c];
  return out;
}

TEST(Decomposition, SplitKAddsTheProductsOfItsShares) {
  for (const char* name :
       {"m16n8k16.f32.f16.f16.f32", "sp.m16n8k32.f32.bf16.bf16.f32", "m16n8k8.f32.tf32.tf32.f32"}) {
    const auto& i = isa::find_instruction(name);
    const int chunk = 64 * 8 / isa::bits(i.b), chunks = 8;
    const RandomProblem x(i, 40, 44, chunks * chunk, true, 3);
    const Kernel k = plan_kernel(x.problem, shared_k(Decomposition::split_k, 3));
    // Shares of floor(8 z / 3): chunks 0-1, 2-4, 5-7.
    const PackedMatrix first = x.product(0, 2 * chunk, true), second = x.product(2 * chunk, 5 * chunk, false),
                       third = x.product(5 * chunk, 8 * chunk, false);
    EXPECT_EQ(run_kernel(k, x.operands()).d, sum(sum(first, second), third)) << name;
  }
}

TEST(Decomposition, StreamKAddsTheProductsOfItsRuns) {
  // Two tiles of 6 chunks on 3 CTAs: chunks 0-3 | 4-5, 0-1 | 2-5.
  const auto& i = isa::find_instruction("m16n8k16.f32.f16.f16.f32");
  RandomProblem x(i, 32, 64, 6 * 32, false, 4);
  x.problem.places = 3;
  const Kernel k = plan_kernel(x.problem, shared_k(Decomposition::stream_k));
  const PackedMatrix left = sum(x.product(0, 128, false), x.product(128, 192, false));
  const PackedMatrix right = sum(x.product(0, 64, false), x.product(64, 192, false));
  const PackedMatrix d = run_kernel(k, x.operands()).d;
  for (std::int64_t r = 0; r < 32; ++r)
    for (std::int64_t c = 0; c < 64; ++c)
      ASSERT_EQ(d.bits(r, c), (c < 32 ? left : right).bits(r, c)) << r << " " << c;
}

TEST(Decomposition, IntegersEqualTheWholeGemmHoweverKIsShared) {
  for (const char* name :
       {"m16n8k32.s32.s8.s8.s32", "sp.m16n8k128.s32.s4.s4.s32", "m16n8k256.s32.b1.b1.s32.xor"}) {
    const auto& i = isa::find_instruction(name);
    RandomProblem x(i, 100, 68, 7 * i.shape.k, true, 5);
    for (const int parts : {1, 2, 3, 5, 7, 50}) {
      x.problem.places = parts;
      Schedule s = shared_k(Decomposition::stream_k);
      const Kernel stream = plan_kernel(x.problem, s);
      EXPECT_EQ(run_kernel(stream, x.operands()).d, x.product(stream.chunk_k)) << name << " " << parts;
      s = shared_k(Decomposition::split_k, std::min(parts, stream.chunks));
      const Kernel split = plan_kernel(x.problem, s);
      EXPECT_EQ(run_kernel(split, x.operands()).d, x.product(split.chunk_k)) << name << " " << parts;
    }
  }
}

TEST(Decomposition, EveryChunkOfEveryTileIsDoneOnceAndRunsAreEqual) {
  KernelProblem p;
  p.instruction = &isa::find_instruction("m16n8k16.f32.f16.f16.f32");
  p.m = 300, p.n = 500, p.k = 32 * 13;
  p.epilogue.output = ElementType::f32;
  for (const Decomposition d :
       {Decomposition::data_parallel, Decomposition::split_k, Decomposition::stream_k})
    for (const int raster : {1, 3, 8, 100}) {
      Schedule s = shared_k(d, d == Decomposition::split_k ? 4 : 1);
      s.raster_columns = raster;
      p.places = 37;
      const Kernel k = plan_kernel(p, s);
      std::vector<int> done(std::size_t(k.grid_m * k.grid_n * k.chunks));
      int least = 1 << 30, most = 0;
      for (const auto& cta : grid(k)) {
        int run = 0;
        for (const Work& w : cta)
          for (int chunk = w.chunk_begin; chunk < w.chunk_end; ++chunk, ++run)
            ++done[std::size_t((w.tile_m * k.grid_n + w.tile_n) * k.chunks + chunk)];
        if (d == Decomposition::stream_k) least = std::min(least, run), most = std::max(most, run);
      }
      for (const int n : done) ASSERT_EQ(n, 1);
      if (d == Decomposition::stream_k) {
        EXPECT_LE(most - least, 1);
      }
    }
}

TEST(Decomposition, TheReferenceAgreesWhereverKIsShared) {
  for (const char* name :
       {"m16n8k16.f16.f16.f16.f16", "sp.m16n8k16.f32.tf32.tf32.f32", "m8n8k4.f64.f64.f64.f64"}) {
    const auto& i = isa::find_instruction(name);
    RandomProblem x(i, 70, 50, 12 * 64 * 8 / isa::bits(i.b), true, 6);
    x.problem.places = 7;
    for (const Decomposition d :
         {Decomposition::data_parallel, Decomposition::split_k, Decomposition::stream_k}) {
      const Kernel k = plan_kernel(x.problem, shared_k(d, 5));
      EXPECT_EQ(run_kernel(k, x.operands()).d, reference_kernel(k, x.operands())) << name;
    }
  }
}

TEST(Decomposition, NanAndInfinitiesTakeTheSamePath) {
  for (const char* name :
       {"m16n8k16.f16.f16.f16.f16", "m16n8k16.f32.bf16.bf16.f32", "m16n8k8.f32.tf32.tf32.f32"})
    for (const int every : {10, 300, 3000}) {
      const auto& i = isa::find_instruction(name);
      RandomProblem x(i, 64, 48, 12 * 64 * 8 / isa::bits(i.b), false, 7);
      x.set_random_bits(every);
      x.problem.places = 5;
      for (const Decomposition d :
           {Decomposition::data_parallel, Decomposition::split_k, Decomposition::stream_k}) {
        const Kernel k = plan_kernel(x.problem, shared_k(d, 3));
        EXPECT_EQ(run_kernel(k, x.operands()).d, reference_kernel(k, x.operands())) << name << " " << every;
      }
    }
}

}  // namespace
}  // namespace twofour::emu
