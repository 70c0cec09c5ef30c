// ldmatrix, movmatrix and cp.async on bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "twofour/emu/warp/async_copy.h"
#include "twofour/emu/warp/ldmatrix.h"
#include "twofour/isa/error.h"
#include "twofour/isa/layout.h"
#include "warp_helpers.h"

namespace twofour::emu {
namespace {

using isa::Operand;
using testing::HasSubstr;
using Bytes = std::vector<std::byte>;
using Addresses = std::array<std::uint64_t, 32>;

Bytes random_bytes(std::size_t count, std::mt19937& random) {
  Bytes bytes(count);
  for (auto& b : bytes) b = std::byte(random());
  return bytes;
}
std::uint32_t half_at(const Bytes& bytes, std::uint64_t address) {
  return std::to_integer<std::uint32_t>(bytes[address]) | std::to_integer<std::uint32_t>(bytes[address + 1])
                                                              << 8;
}
template <class Function>
std::string refusal(const Function& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "not refused";
}

const isa::Instruction& ldmatrix_row(int matrices, bool transposed) {
  return isa::find_instruction(
      fmt::format("ldmatrix.m8n8.x{}{}.shared.b16", matrices, transposed ? ".trans" : ""));
}

TEST(WarpLdmatrix, EveryHalfComesFromItsRow) {
  std::mt19937 random(1);
  const Bytes shared = random_bytes(4096, random);
  for (const int matrices : {1, 2, 4})
    for (const bool transposed : {false, true}) {
      Addresses rows;
      for (auto& r : rows) r = 16 * (random() % 256);
      for (std::size_t lane = std::size_t(8 * matrices); lane < 32; ++lane) rows[lane] = 12345;  // not read
      const Fragment f = ldmatrix(ldmatrix_row(matrices, transposed), shared, rows);
      for (int j = 0; j < 8; ++j)
        for (int lane = 0; lane < 32; ++lane)
          for (int e = 0; e < 2; ++e) {
            const int line = lane / 4, place = 2 * (lane % 4) + e;
            const int row = transposed ? place : line, col = transposed ? line : place;
            const std::uint32_t want =
                j < matrices ? half_at(shared, rows[std::size_t(8 * j + row)] + 2 * std::uint64_t(col)) : 0;
            ASSERT_EQ(f.word[std::size_t(j)][std::size_t(lane)] >> (16 * e) & 0xffff, want);
          }
    }
}

/// Addresses of the 8-row matrices whose first elements are at `corner`, rows `pitch` bytes apart.
Addresses matrices_at(std::initializer_list<std::uint64_t> corners, std::uint64_t pitch) {
  Addresses rows{};
  std::size_t lane = 0;
  for (const std::uint64_t corner : corners)
    for (std::uint64_t row = 0; row < 8; ++row) rows[lane++] = corner + row * pitch;
  return rows;
}

TEST(WarpLdmatrix, FeedsTheOperandsOfMma) {
  std::mt19937 random(2);
  constexpr std::uint64_t pitch = 48;
  const Bytes shared = random_bytes(16 * pitch, random);
  const auto four = matrices_at({0, 8 * pitch, 16, 8 * pitch + 16}, pitch);  // rows, then k
  const auto two = matrices_at({0, 16}, pitch);
  const auto& f16 = isa::find_instruction("m16n8k16.f32.f16.f16.f32");
  const Fragment a = ldmatrix(ldmatrix_row(4, false), shared, four),
                 b = ldmatrix(ldmatrix_row(2, false), shared, two);
  // B stored k by k: its 16 x 8 block is two matrices, one below the other, to be transposed.
  const Fragment b_rows = ldmatrix(ldmatrix_row(2, true), shared, matrices_at({0, 8 * pitch}, pitch));
  const auto& s8 = isa::find_instruction("m16n8k32.s32.s8.s8.s32");
  for (int lane = 0; lane < 32; ++lane) {
    for (int index = 0; index < 8; ++index) {
      const auto at = isa::coordinate(f16, Operand::a, lane, index);
      ASSERT_EQ(element_word(a, lane, index, 16),
                half_at(shared, std::uint64_t(at.row) * pitch + 2 * std::uint64_t(at.col)));
    }
    for (int index = 0; index < 4; ++index) {
      const auto at = isa::coordinate(f16, Operand::b, lane, index);
      const auto k = std::uint64_t(at.row), n = std::uint64_t(at.col);
      ASSERT_EQ(element_word(b, lane, index, 16), half_at(shared, n * pitch + 2 * k));
      ASSERT_EQ(element_word(b_rows, lane, index, 16), half_at(shared, k * pitch + 2 * n));
    }
    for (int index = 0; index < 16; ++index) {  // the same bytes are A of the 8-bit instruction
      const auto at = isa::coordinate(s8, Operand::a, lane, index);
      ASSERT_EQ(element_word(a, lane, index, 8),
                std::to_integer<std::uint32_t>(shared[std::size_t(at.row) * pitch + std::size_t(at.col)]));
    }
  }
}

TEST(WarpLdmatrix, RefusalsNameLaneAndAddress) {
  const Bytes shared(256);
  Addresses rows{};
  rows[9] = 8;
  const auto run = [&](int matrices) {
    return refusal([&] { ldmatrix(ldmatrix_row(matrices, false), shared, rows); });
  };
  EXPECT_EQ(run(1), "not refused");
  EXPECT_EQ(
      run(2),
      "ldmatrix.sync.aligned.m8n8.x2.shared.b16: lane 9 gives address 8, which is not a multiple of 16");
  rows[9] = 240;
  EXPECT_EQ(run(2), "not refused");
  rows[9] = 256;
  EXPECT_THAT(run(4), HasSubstr("the row at address 256 of lane 9 lies outside the 256 bytes"));
  rows[9] = ~std::uint64_t(15);
  EXPECT_THAT(run(4), HasSubstr("of lane 9 lies outside"));
  EXPECT_THAT(refusal([&] { ldmatrix(isa::find_instruction("movmatrix.m8n8.trans.b16"), shared, rows); }),
              HasSubstr("is no ldmatrix"));
}

TEST(WarpMovmatrix, Transposes) {
  LaneRegister a{};  // element (row, col) is 100 row + col: halves e of lane 4 row + t are columns 2t + e
  for (std::uint32_t lane = 0; lane < 32; ++lane) {
    const std::uint32_t first = 100 * (lane / 4) + 2 * (lane % 4);
    a[lane] = first | (first + 1) << 16;
  }
  const LaneRegister t = movmatrix(a);
  for (std::uint32_t lane = 0; lane < 32; ++lane) {
    const std::uint32_t row = lane / 4, col = 2 * (lane % 4);
    EXPECT_EQ(t[lane] & 0xffff, 100 * col + row);
    EXPECT_EQ(t[lane] >> 16, 100 * (col + 1) + row);
  }
  EXPECT_EQ(movmatrix(t), a);
}

Bytes counted(std::size_t count) {
  Bytes bytes(count);
  for (std::size_t n = 0; n < count; ++n) bytes[n] = std::byte(n + 1);
  return bytes;
}
AsyncCopy copy_of(int size, std::uint64_t shared, std::uint64_t global) {
  return {AsyncCopy::Cache::ca, size, shared, global};
}

TEST(WarpAsyncCopy, SourceSizeFillsWithZeros) {
  for (const auto moment : {CopyMoment::earliest, CopyMoment::latest})
    for (const int size : {4, 8, 16})
      for (int read = 0; read <= size; ++read) {
        const Bytes global = counted(std::size_t(16 + read));  // what is not read need not exist
        Bytes shared(48, std::byte{0xee}), want = shared;
        AsyncCopies copies(global, shared, moment);
        AsyncCopy c = copy_of(size, 32, 16);
        c.source_size = read;
        copies.copy(c);
        copies.wait_all();
        for (int n = 0; n < size; ++n) want[std::size_t(32 + n)] = std::byte(n < read ? 17 + n : 0);
        ASSERT_EQ(shared, want) << size << " " << read;
      }
}

TEST(WarpAsyncCopy, IgnoredSourceIsZerosAndNotRead) {
  const Bytes global;
  Bytes shared(16, std::byte{1});
  AsyncCopies copies(global, shared, CopyMoment::latest);
  AsyncCopy c = copy_of(16, 0, 160);
  c.cache = AsyncCopy::Cache::cg;
  c.ignore_source = true;
  copies.copy(c);
  copies.wait_all();
  EXPECT_EQ(shared, Bytes(16));
}

TEST(WarpAsyncCopy, LatestShowsDataOnlyAfterTheWaitForItsGroup) {
  const Bytes global = counted(16), before(16, std::byte{0});
  Bytes shared = before;
  AsyncCopies copies(global, shared, CopyMoment::latest);
  const auto arrived = [&](std::size_t at) { return shared[at] != std::byte{0}; };
  copies.copy(copy_of(4, 0, 0));
  copies.commit_group();
  copies.copy(copy_of(4, 4, 4));
  copies.commit_group();
  copies.commit_group();  // empty, but it counts
  copies.copy(copy_of(4, 8, 8));
  copies.wait_group(3);
  EXPECT_EQ(shared, before);
  copies.wait_group(2);
  EXPECT_TRUE(arrived(0));
  EXPECT_FALSE(arrived(4));
  copies.wait_group(0);
  EXPECT_TRUE(arrived(4));
  EXPECT_FALSE(arrived(8));  // never committed
  copies.wait_all();
  EXPECT_TRUE(arrived(8));
  EXPECT_FALSE(arrived(12));
}

// A program with a race differs between the two moments: it overwrites the source, or two copies of a group
// meet.
TEST(WarpAsyncCopy, TheMomentsShowRaces) {
  const auto overwritten = [](CopyMoment moment) {
    Bytes global = counted(4), shared(4);
    AsyncCopies copies(global, shared, moment);
    copies.copy(copy_of(4, 0, 0));
    global[0] = std::byte{99};
    copies.wait_all();
    return shared[0];
  };
  EXPECT_EQ(overwritten(CopyMoment::earliest), std::byte{1});
  EXPECT_EQ(overwritten(CopyMoment::latest), std::byte{99});
  const auto meeting = [](CopyMoment moment, bool two_groups) {
    const Bytes global = counted(8);
    Bytes shared(4);
    AsyncCopies copies(global, shared, moment);
    copies.copy(copy_of(4, 0, 0));
    if (two_groups) copies.commit_group();
    copies.copy(copy_of(4, 0, 4));
    copies.wait_all();
    return shared[0];
  };
  EXPECT_EQ(meeting(CopyMoment::earliest, false), std::byte{5});
  EXPECT_EQ(meeting(CopyMoment::latest, false), std::byte{1});
  EXPECT_EQ(meeting(CopyMoment::earliest, true), std::byte{5});
  EXPECT_EQ(meeting(CopyMoment::latest, true), std::byte{5});  // groups complete in order
}

TEST(WarpAsyncCopy, RefusesWhatPtxForbids) {
  const Bytes global = counted(64);
  Bytes shared(64);
  AsyncCopies copies(global, shared, CopyMoment::earliest);
  const auto run = [&](const AsyncCopy& c) { return refusal([&] { copies.copy(c); }); };
  EXPECT_EQ(run(copy_of(16, 48, 48)), "not refused");
  EXPECT_EQ(run(copy_of(12, 0, 0)), "cp.async.ca copies 4, 8 or 16 bytes, not 12");
  AsyncCopy c = copy_of(8, 0, 0);
  c.cache = AsyncCopy::Cache::cg;
  EXPECT_EQ(run(c), "cp.async.cg copies 16 bytes, not 8");
  EXPECT_EQ(run(copy_of(8, 4, 0)), "cp.async: shared address 4 is not a multiple of 8, the size of the copy");
  EXPECT_EQ(run(copy_of(8, 0, 4)), "cp.async: global address 4 is not a multiple of 8, the size of the copy");
  EXPECT_EQ(run(copy_of(16, 64, 0)),
            "cp.async: 16 bytes at shared address 64 lie outside the 64 bytes of memory");
  EXPECT_EQ(run(copy_of(16, 0, 80)),
            "cp.async: 16 bytes at global address 80 lie outside the 64 bytes of memory");
  c = copy_of(8, 0, 0);
  c.source_size = 9;
  EXPECT_EQ(run(c), "cp.async: a src-size of 9 is not 0 to 8, the size of the copy");
  EXPECT_THAT(refusal([&] { copies.wait_group(-1); }), HasSubstr("not -1"));
}

}  // namespace
}  // namespace twofour::emu
