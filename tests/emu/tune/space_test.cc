#include "twofour/emu/tune/space.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "twofour/emu/tune/legality.h"
#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

const isa::Machine a100 = isa::load_machine("a100-sxm4-80gb");

GemmProblem gemm(std::int64_t m, std::int64_t n, std::int64_t k, ElementType type = ElementType::f16,
                 bool sparse = false) {
  GemmProblem p;
  p.m = m;
  p.n = n;
  p.k = k;
  p.type = type;
  p.sparse = sparse;
  return p;
}

/// Columns that one mma consumes, from the PTX shapes: 256 bits of a row of the stored operand.
int mma_k(ElementType type, bool sparse) {
  switch (type) {
    case ElementType::tf32: return sparse ? 16 : 8;
    case ElementType::f16:
    case ElementType::bf16: return sparse ? 32 : 16;
    case ElementType::s8: return sparse ? 64 : 32;
    case ElementType::s4: return sparse ? 128 : 64;
    case ElementType::b1: return 256;
    default: return 0;
  }
}

/// What an A100 can launch, in integers and by hand: bits of shared memory, registers of a warp in whole, and
/// the number of k-chunks counted one by one.
bool can_launch(const Schedule& s, const GemmProblem& p) {
  const int bits = isa::bits(p.type), k = s.tile.k_bytes * 8 / bits;
  const int warps = s.tile.warps_m * s.tile.warps_n;
  if (s.tile.m % s.tile.warps_m != 0 || s.tile.m / s.tile.warps_m % 16 != 0) return false;
  if (s.tile.n % s.tile.warps_n != 0 || s.tile.n / s.tile.warps_n % 8 != 0) return false;
  if (k == 0 || k % mma_k(p.type, p.sparse) != 0) return false;
  std::int64_t stage_bits = std::int64_t{1} * s.tile.n * k * bits;
  if (p.sparse) {
    const int group = p.type == ElementType::tf32 ? 2 : p.type == ElementType::s4 ? 8 : 4;
    stage_bits += std::int64_t{1} * s.tile.m * (k / 2 * bits + k / group * 4);
  } else {
    stage_bits += std::int64_t{1} * s.tile.m * k * bits;
  }
  const std::int64_t shared = s.tile.stages * stage_bits / 8;
  if (s.tile.stages < 2 || shared > 163 * 1024) return false;
  const int wm = s.tile.m / s.tile.warps_m, wn = s.tile.n / s.tile.warps_n;
  const int quarter_registers = wm * wn / 8 + 2 * (wm + wn) + 4 * 40;  // four times those of a thread
  if (quarter_registers > 4 * 255 || quarter_registers * 8 * warps > 65536 || warps > 32) return false;
  std::int64_t chunks = 0;
  for (std::int64_t done = 0; done < p.k; done += k) ++chunks;
  const std::int64_t columns = (p.n + s.tile.n - 1) / s.tile.n;
  if (s.decomposition == Decomposition::split_k && (s.splits < 2 || chunks / s.splits < 2)) return false;
  if (s.decomposition != Decomposition::split_k && s.splits != 1) return false;
  if (s.decomposition == Decomposition::stream_k &&
      (p.m + s.tile.m - 1) / s.tile.m * columns * p.batch * chunks < 2)
    return false;
  std::int64_t widest = 1;
  while (widest < columns) widest *= 2;
  return s.raster_columns >= 1 && s.raster_columns <= widest;
}

const GemmProblem problems[] = {
    gemm(64, 3136, 576),
    gemm(512, 49, 4608, ElementType::f16, true),
    gemm(1000, 1, 2048, ElementType::s8),
    gemm(100, 70, 64, ElementType::s8, true),
    gemm(256, 256, 256, ElementType::s4, true),
    gemm(333, 77, 40, ElementType::tf32, true),
    gemm(64, 512, 1024, ElementType::tf32),
    gemm(128, 1024, 4096, ElementType::b1),
    gemm(16, 8, 16),
};

TEST(ScheduleSpace, HoldsExactlyWhatAnA100CanLaunch) {
  const ScheduleAxes axes;
  for (const auto& p : problems) {
    const TuningTask task = tuning_task(p);
    const ScheduleSpace space(task, a100);
    std::size_t legal = 0, found = 0;
    for (const int m : axes.m)
      for (const int n : axes.n)
        for (const int k : axes.k_bytes)
          for (const int stages : axes.stages)
            for (const int wm : axes.warps_m)
              for (const int wn : axes.warps_n)
                for (const int share : axes.shares)
                  for (const int raster : axes.raster_columns) {
                    if (wm * wn > 8) continue;
                    Schedule s{.tile = {m, n, k, stages, wm, wn},
                               .decomposition = share == 0   ? Decomposition::stream_k
                                                : share == 1 ? Decomposition::data_parallel
                                                             : Decomposition::split_k,
                               .splits = std::max(share, 1),
                               .raster_columns = raster,
                               .alignment = task.alignment()};
                    const bool can = can_launch(s, p);
                    ASSERT_EQ(illegality(s, task, a100).empty(), can)
                        << task.key() << ": " << to_text(s) << " " << illegality(s, task, a100);
                    const bool crowded =
                        share > 1 && double(p.m) / m * double(p.n) / n * double(p.batch) * share > 8 * 108;
                    ASSERT_EQ(space.find(s).has_value(), can && !crowded) << to_text(s);
                    legal += can && !crowded;
                    found += space.find(s).has_value();
                  }
    EXPECT_EQ(space.size(), legal);
    EXPECT_EQ(found, legal);
  }
}

TEST(ScheduleSpace, OddSchedulesAreJudgedRightly) {
  for (const auto& p : problems) {
    const TuningTask task = tuning_task(p);
    std::size_t legal = 0;
    for (const int m : {8, 16, 24, 48, 192, 512})
      for (const int n : {4, 8, 24, 96, 256})
        for (const int k : {16, 32, 48, 64, 96, 512})
          for (const int stages : {0, 1, 2, 3, 7, 20})
            for (const int wm : {1, 3, 16})
              for (const int wn : {1, 3, 4})
                for (const int share : {0, 1, 2, 3, 4, 5, 6, 7}) {
                  const Schedule s{.tile = {m, n, k, stages, wm, wn},
                                   .decomposition = static_cast<Decomposition>(share % 3),
                                   .splits = share / 3 + (share == 7),  // 0 to 3, most of them wrong
                                   .raster_columns = share == 5 ? 2 : 1,
                                   .alignment = 4};
                  const bool can = can_launch(s, p);
                  ASSERT_EQ(illegality(s, task, a100).empty(), can)
                      << task.key() << ": " << to_text(s) << " " << illegality(s, task, a100);
                  legal += can;
                }
    EXPECT_GT(legal, 0u) << task.key();
  }
}

TEST(ScheduleSpace, EveryScheduleIsItsOwnAndRunsUnderTheModel) {
  for (const auto& p : problems) {
    const TuningTask task = tuning_task(p);
    const ScheduleSpace space(task, a100);
    const auto model = model_evaluator(task, a100);
    for (std::size_t i = 0; i < space.size(); i += 97) {
      ASSERT_EQ(space.find(space[i]), i);
      ASSERT_EQ(parse_schedule(to_text(space[i])), space[i]);
      ASSERT_GT(model(space[i]), 0) << to_text(space[i]);
    }
  }
}

TEST(ScheduleSpace, HoldsThePublishedTilesThatFit) {
  for (const auto& p : problems) {
    const TuningTask task = tuning_task(p);
    const ScheduleSpace space(task, a100);
    std::size_t held = 0;
    for (const Tile& tile : tiles(p.sparse)) {
      const Schedule s{.tile = tile, .raster_columns = 1, .alignment = task.alignment()};
      bool fits = true;  // as the latency model sees it
      try {
        schedule_latency(p, s, a100);
      } catch (const Error&) {
        fits = false;
      }
      EXPECT_EQ(space.find(s).has_value(), fits) << to_text(s) << " " << illegality(s, task, a100);
      held += fits;
    }
    EXPECT_GE(held, tiles(p.sparse).size() - 1);  // 8-bit 256 x 64 x 256: its metadata is too large
  }
}

TEST(ScheduleSpace, NeighboursAreOneOrTwoAxesAway) {
  const ScheduleSpace space(tuning_task(problems[0]), a100);
  std::mt19937_64 random(7);
  std::set<std::size_t> met;
  for (std::size_t i = 0; i < space.size(); i += 53) {
    const std::size_t next = space.neighbour(i, random);
    ASSERT_LT(next, space.size());
    ASSERT_NE(next, i);
    int differing = 0;
    for (std::size_t axis = 0; axis < ScheduleSpace::axis_count; ++axis)
      differing += space.position(i)[axis] != space.position(next)[axis];
    ASSERT_GE(differing, 1);
    ASSERT_LE(differing, 2);
    met.insert(next);
  }
  EXPECT_GT(met.size(), space.size() / 53 / 2);
}

TEST(ScheduleSpace, TheAlignmentIsWhatTheRowsAllow) {
  EXPECT_EQ(tuning_task(gemm(8, 8, 64)).alignment(), 16);
  EXPECT_EQ(tuning_task(gemm(8, 8, 20)).alignment(), 8);                          // 40 bytes
  EXPECT_EQ(tuning_task(gemm(8, 8, 22)).alignment(), 4);                          // 44
  EXPECT_EQ(tuning_task(gemm(8, 8, 24, ElementType::f16, true)).alignment(), 8);  // 24 kept bytes
  EXPECT_EQ(tuning_task(gemm(8, 8, 64, ElementType::s4)).alignment(), 16);        // 32
  ConvProblem rgb{
      .batch = 1, .height = 8, .width = 8, .channels = 3, .filters = 64, .kernel_h = 3, .kernel_w = 3};
  EXPECT_EQ(tuning_task(rgb).alignment(), 4);
  rgb.channels = 4;
  EXPECT_EQ(tuning_task(rgb).alignment(), 8);
  rgb.channels = 8;
  EXPECT_EQ(tuning_task(rgb).alignment(), 16);
  const TuningTask task = tuning_task(gemm(64, 64, 22));
  Schedule s{.tile = {64, 64, 64, 3, 2, 2}, .raster_columns = 1, .alignment = 4};
  EXPECT_TRUE(illegality(s, task, a100).empty());
  s.alignment = 8;
  EXPECT_FALSE(illegality(s, task, a100).empty());
}

TEST(ScheduleSpace, ATextThatIsNoScheduleIsRefused) {
  for (const char* text :
       {"", "128x64x128b", "128x64x128b 2x2 s4 split r8 a16", "128x64x128b 2x2 s4 dp r8 a16 ",
        "128x64x128b 2x2 s4 dq r8 a16", "128x64x128b 2x2 s4 split1x r8 a16"})
    EXPECT_THROW(parse_schedule(text), Error) << text;
}

TEST(ScheduleSpace, AMachineWithoutRoomIsRefused) {
  auto tiny = a100;
  tiny.smem_per_cta = 512;
  EXPECT_THROW(ScheduleSpace(tuning_task(problems[0]), tiny), Error);
}

}  // namespace
}  // namespace twofour::emu
