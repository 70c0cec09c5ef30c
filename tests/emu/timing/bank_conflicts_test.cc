// Expected counts are worked out by hand: bank of a word = word mod 32, one word a bank a wavefront.
#include "twofour/emu/timing/bank_conflicts.h"

#include <gtest/gtest.h>

#include <functional>

#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

std::array<std::uint32_t, 32> lanes(const std::function<std::uint32_t(std::uint32_t)>& address) {
  std::array<std::uint32_t, 32> a{};
  for (std::uint32_t lane = 0; lane < 32; ++lane) a[lane] = address(lane);
  return a;
}

TEST(BankConflicts, AWordEachOfStrideTwoToTheNTakesAsManyWavefronts) {
  for (std::uint32_t stride = 1; stride <= 64; stride *= 2)
    EXPECT_EQ(shared_wavefronts(lanes([=](std::uint32_t l) { return 4 * stride * l; }), 4),
              int(std::min(stride, 32u)))
        << stride;
}

TEST(BankConflicts, OddStridesHaveNone) {
  for (const std::uint32_t stride : {1u, 3u, 7u, 31u, 33u, 129u})
    EXPECT_EQ(shared_wavefronts(lanes([=](std::uint32_t l) { return 4 * stride * l; }), 4), 1) << stride;
}

TEST(BankConflicts, LanesShareAWord) {
  EXPECT_EQ(shared_wavefronts(lanes([](std::uint32_t) { return 128u; }), 4), 1);
  EXPECT_EQ(shared_wavefronts(lanes([](std::uint32_t l) { return l; }), 1), 1);
  EXPECT_EQ(shared_wavefronts(lanes([](std::uint32_t l) { return 2 * l; }), 2), 1);
  // Two bytes of one word, 32 words apart in pairs of lanes: two words of bank 0 at most.
  EXPECT_EQ(shared_wavefronts(lanes([](std::uint32_t l) { return (l % 2) * 128 + (l / 2 % 2); }), 1), 2);
}

TEST(BankConflicts, WideAccessesGoByHalvesAndQuartersOfAWarp) {
  EXPECT_EQ(shared_wavefronts(lanes([](std::uint32_t l) { return 8 * l; }), 8), 2);
  EXPECT_EQ(shared_wavefronts(lanes([](std::uint32_t l) { return 16 * l; }), 16), 4);
  // 16 bytes of rows 128 bytes apart: the eight rows of a quarter meet in four banks.
  EXPECT_EQ(shared_wavefronts(lanes([](std::uint32_t l) { return 128 * l; }), 16), 32);
  // Lanes 0-15 and 16-31 would collide within one phase, but the halves are apart.
  EXPECT_EQ(shared_wavefronts(lanes([](std::uint32_t l) { return 8 * (l % 16) + 128 * (l / 16); }), 8), 2);
  // Half a warp meets in two banks, the other half shares a word of another one: 16 and 1.
  EXPECT_EQ(shared_wavefronts(lanes([](std::uint32_t l) { return l < 16 ? 128 * l : 16; }), 8), 17);
}

TEST(BankConflicts, LanesThatAreOffTakeNothing) {
  const auto far = lanes([](std::uint32_t l) { return 128 * l; });
  EXPECT_EQ(shared_wavefronts(far, 4), 32);
  EXPECT_EQ(shared_wavefronts(far, 4, 0xff), 8);
  EXPECT_EQ(shared_wavefronts(far, 4, 0), 0);
  EXPECT_EQ(shared_wavefronts(far, 16, 0x1), 1);
}

TEST(BankConflicts, LdmatrixOfPaddedAndSwizzledRows) {
  const auto rows = [](std::uint32_t pitch) { return lanes([=](std::uint32_t l) { return pitch * l; }); };
  for (const int matrices : {1, 2, 4}) {
    EXPECT_EQ(ldmatrix_wavefronts(rows(16), matrices), matrices) << "rows side by side";
    EXPECT_EQ(ldmatrix_wavefronts(rows(128), matrices), 8 * matrices) << "a row of all banks apart";
    EXPECT_EQ(ldmatrix_wavefronts(rows(64), matrices), 4 * matrices);
    EXPECT_EQ(ldmatrix_wavefronts(rows(32), matrices), 2 * matrices);
    EXPECT_EQ(ldmatrix_wavefronts(rows(128 + 16), matrices), matrices) << "padded by 16 bytes";
    EXPECT_EQ(ldmatrix_wavefronts(rows(64 + 16), matrices), matrices) << "padded by 16 bytes";
    // Piece c of row r lies at c xor r mod 8.
    const auto swizzled = lanes([](std::uint32_t l) { return 128 * l + 16 * ((l / 8) ^ (l % 8)); });
    EXPECT_EQ(ldmatrix_wavefronts(swizzled, matrices), matrices);
  }
}

TEST(BankConflicts, LanesBeyondTheMatricesAreNotRead) {
  const auto junk = lanes([](std::uint32_t l) { return l < 8 ? 16 * l : 3; });
  EXPECT_EQ(ldmatrix_wavefronts(junk, 1), 1);
  EXPECT_THROW(ldmatrix_wavefronts(junk, 2), Error);
}

TEST(BankConflicts, Refusals) {
  const auto a = lanes([](std::uint32_t l) { return 4 * l; });
  EXPECT_THROW(shared_wavefronts(a, 3), Error);
  EXPECT_THROW(shared_wavefronts(a, 8), Error);  // lane 1 at 4
  EXPECT_THROW(ldmatrix_wavefronts(a, 3), Error);
}

}  // namespace
}  // namespace twofour::emu
