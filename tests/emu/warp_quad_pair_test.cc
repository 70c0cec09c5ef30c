// mma.m8n8k4 with f16 inputs, four products a warp: its layouts and its FP32 routine stated again.
#include <gtest/gtest.h>

#include "twofour/isa/layout.h"
#include "warp_helpers.h"

namespace twofour::emu {
namespace {

using namespace warp_test;

std::uint32_t half_of(const Fragment& f, int lane, int index) {
  return f.word[std::size_t(index / 2)][std::size_t(lane)] >> (16 * (index & 1)) & 0xffff;
}

/// The lane of product q that holds line l: lanes 4q.. hold lines 0-3, lanes 16 + 4q.. lines 4-7.
int lane_of(int q, int line) {
  return 4 * q + line % 4 + 16 * (line / 4);
}

float a_element(const isa::Instruction& i, const Fragment& a, int q, int row, int k) {
  if (i.a_major == isa::Major::row) return half_value(half_of(a, lane_of(q, row), k));
  return half_value(half_of(a, 4 * q + k + 16 * (row / 4), row % 4));
}
float b_element(const isa::Instruction& i, const Fragment& b, int q, int k, int col) {
  if (i.b_major == isa::Major::col) return half_value(half_of(b, lane_of(q, col), k));
  return half_value(half_of(b, 4 * q + k + 16 * (col / 4), col % 4));
}

/// C or D: the word of (row, col) of product q.
std::uint32_t accumulator(ElementType type, const Fragment& f, int q, int row, int col) {
  if (type == ElementType::f16) return half_of(f, lane_of(q, row), col);
  // Lane bit 0: row bit 0; lane bit 1: column bit 1. Register bit 0: column bit 0, bit 1: row bit 1, bit 2:
  // column bit 2.
  const int lane = 4 * q + (row & 1) + (col & 2) + 16 * (row / 4);
  return f.word[std::size_t((col & 1) + (row & 2) + (col & 4))][std::size_t(lane)];
}

std::uint32_t routine(const isa::Instruction& i, const float* a, const float* b, std::uint32_t c_word) {
  const float c = i.c == ElementType::f16 ? half_value(c_word) : word_float(c_word);
  if (i.d == ElementType::f16) {
    const float low = std::fma(a[1], b[1], a[0] * b[0]), high = std::fma(a[3], b[3], a[2] * b[2]);
    return nearest_half((c + low) + high);
  }
  const float sum =
      std::fma(a[3], b[3], std::fma(a[2], b[2], std::fma(a[1], b[1], std::fma(a[0], b[0], 0.0f))));
  return float_word(c + sum);
}

TEST(WarpQuadPair, EqualsTheRoutineInEveryOrderAndType) {
  std::mt19937 random(5);
  int rows = 0;
  for (const auto& i : isa::instructions()) {
    if (!i.is_quad_pair()) continue;
    ++rows;
    for (int trial = 0; trial < 10; ++trial) {
      MmaOperands x;
      x.a = random_fragment(i.a, 2, random, false);
      x.b = random_fragment(i.b, 2, random, false);
      x.c = random_fragment(i.c, i.c == ElementType::f16 ? 4 : 8, random, false);
      const Fragment d = execute(i, x);
      for (int q = 0; q < 4; ++q)
        for (int row = 0; row < 8; ++row)
          for (int col = 0; col < 8; ++col) {
            float a[4], b[4];
            for (int k = 0; k < 4; ++k) {
              a[k] = a_element(i, x.a, q, row, k);
              b[k] = b_element(i, x.b, q, k, col);
            }
            ASSERT_EQ(accumulator(i.d, d, q, row, col), routine(i, a, b, accumulator(i.c, x.c, q, row, col)))
                << isa::ptx_name(i) << " product " << q << " row " << row << " column " << col;
          }
    }
  }
  EXPECT_EQ(rows, 12);
}

TEST(WarpQuadPair, QuadsKeepTheirProductsApart) {
  const auto& i = isa::find_instruction("m8n8k4.f32.f16.f16.f32");
  MmaOperands x;
  x.a.word[0].fill(0x3c003c00);             // k 0, 1: ones
  x.b.word[0][lane_of(2, 7)] = 0x10001000;  // product 2, column 7: 2^-11 twice
  for (auto& r : x.c.word) r.fill(float_word(8192));
  const Fragment d = execute(i, x);
  for (int q = 0; q < 4; ++q)
    for (int col = 0; col < 8; ++col)
      EXPECT_EQ(word_float(accumulator(i.d, d, q, 5, col)),
                q == 2 && col == 7 ? 8192 + 1.0f / 1024 : 8192.0f);
}

}  // namespace
}  // namespace twofour::emu
