#include "twofour/emu/warp/mma.h"

#include <gtest/gtest.h>

#include <cstring>

#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

TEST(Warp, DoublesMultiplyByTheirLayout) {
  const auto& i = isa::find_instruction("m8n8k4.f64.f64.f64.f64");
  MmaOperands x;
  const auto put = [](Fragment& f, int lane, int index, double value) {
    std::uint64_t word = 0;
    std::memcpy(&word, &value, 8);
    f.word[std::size_t(2 * index)][std::size_t(lane)] = std::uint32_t(word);
    f.word[std::size_t(2 * index + 1)][std::size_t(lane)] = std::uint32_t(word >> 32);
  };
  for (int lane = 0; lane < 32; ++lane) {
    put(x.a, lane, 0, 10 * (lane / 4) + lane % 4);   // A[row][k] = 10 row + k
    put(x.b, lane, 0, 100 * (lane % 4) + lane / 4);  // B[k][col] = 100 k + col
  }
  const Fragment d = execute(i, x);
  for (int lane = 0; lane < 32; ++lane)
    for (int index = 0; index < 2; ++index) {
      const int row = lane / 4, col = 2 * (lane % 4) + index;
      double want = 0, got = 0;
      for (int k = 0; k < 4; ++k) want += double(10 * row + k) * (100 * k + col);
      const std::uint64_t word = d.word[std::size_t(2 * index)][std::size_t(lane)] |
                                 std::uint64_t(d.word[std::size_t(2 * index + 1)][std::size_t(lane)]) << 32;
      std::memcpy(&got, &word, 8);
      EXPECT_EQ(got, want) << row << "," << col;
    }
}

TEST(Warp, IllegalRequestsAreRefused) {
  MmaOperands x;
  x.selector = 2;
  EXPECT_THROW(execute(isa::find_instruction("sp.m16n8k32.f32.f16.f16.f32"), x), Error);
  NumericOptions clamp;
  clamp.satfinite = true;
  EXPECT_THROW(execute(isa::find_instruction("m16n8k256.s32.b1.b1.s32.and"), {}, clamp), Error);
  EXPECT_THROW(execute(isa::find_instruction("m16n8k16.f32.f16.f16.f32"), {}, clamp), Error);
}

}  // namespace
}  // namespace twofour::emu
