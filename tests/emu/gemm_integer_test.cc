// Integer and single-bit GEMM against sums in 64 bits, at the edges of its tiles, panels and stretches of k.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "oracle.h"
#include "twofour/emu/matrix/gemm.h"
#include "twofour/emu/matrix/gemm_paths.h"

namespace twofour::emu {
namespace {

using isa::ElementType;
constexpr std::int64_t int_max = std::numeric_limits<std::int32_t>::max(),
                       int_min = std::numeric_limits<std::int32_t>::min();

/// Operands of one GEMM. A sparse A has any codes at all: descending and duplicate ones too.
struct Problem {
  const isa::Instruction& i;
  PackedMatrix a, b, c;  // a: the stored columns
  std::vector<std::uint8_t> codes;

  SparseMatrix sparse() const { return {a, codes, b.cols()}; }
  PackedMatrix run(const NumericOptions& options = {}) const {
    return i.is_sparse() ? gemm(i, sparse(), b, &c, options) : gemm(i, a, b, &c, options);
  }
};

Problem random_problem(const isa::Instruction& i, std::int64_t m, std::int64_t n, std::int64_t k,
                       std::mt19937& random) {
  const std::int64_t stored = i.is_sparse() ? k / 2 : k;
  Problem p{i,
            oracle::random_matrix(i.a, m, stored, random, false),
            oracle::random_matrix(i.b, n, k, random, false),
            oracle::random_matrix(i.c, m, n, random, false),
            {}};
  if (i.is_sparse())
    for (std::int64_t g = 0; g < m * (k / isa::group_columns(i.sparsity)); ++g)
      p.codes.push_back(std::uint8_t(random() % 16));
  return p;
}

/// The column of B that meets stored element `at` of a row: a code holds two 2-bit indices, of columns (8-bit
/// types) or of pairs of columns (4-bit types).
std::int64_t selected_column(const Problem& p, std::int64_t row, std::int64_t at) {
  if (!p.i.is_sparse()) return at;
  const bool pairs = isa::bits(p.i.a) == 4;
  const std::int64_t stored = pairs ? 4 : 2, groups = p.a.cols() / stored, group = at / stored;
  const int code = p.codes[std::size_t(row * groups + group)];
  if (!pairs) return 4 * group + (code >> (at % 2 * 2) & 3);
  return 8 * group + 2 * (code >> (at % 4 / 2 * 2) & 3) + at % 2;
}

/// c + a . b over stored columns first .. last, wrapped.
std::int32_t expected(const Problem& p, std::int64_t row, std::int64_t col) {
  std::vector<std::uint64_t> x, y;
  for (std::int64_t at = 0; at < p.a.cols(); ++at) {
    x.push_back(p.a.bits(row, at));
    y.push_back(p.b.bits(col, selected_column(p, row, at)));
  }
  return std::int32_t(std::uint32_t(oracle::dot(p.i, x, y, p.c.bits(row, col))));
}

void expect_exact(const Problem& p, const PackedMatrix& d) {
  ASSERT_EQ(d.rows(), p.c.rows());
  ASSERT_EQ(d.cols(), p.c.cols());
  for (std::int64_t row = 0; row < d.rows(); ++row)
    for (std::int64_t col = 0; col < d.cols(); ++col)
      ASSERT_EQ(d.integer(row, col), expected(p, row, col))
          << isa::short_name(p.i) << " " << d.rows() << " x " << d.cols() << " x " << p.b.cols() << " at "
          << row << ", " << col;
}

std::vector<const isa::Instruction*> integer_rows() {
  std::vector<const isa::Instruction*> rows;
  for (const auto& i : isa::instructions())
    if (i.is_tensor_core() && !isa::is_float(i.a)) rows.push_back(&i);
  return rows;
}

void fill(PackedMatrix& m, std::uint64_t word) {
  for (std::int64_t r = 0; r < m.rows(); ++r)
    for (std::int64_t c = 0; c < m.cols(); ++c) m.set_bits(r, c, word);
}

TEST(GemmInteger, EveryRowAtOddSizesWithAnyMetadata) {
  std::mt19937 random(21);
  for (const auto* i : integer_rows())
    for (const auto& [m, n] : {std::pair<int, int>{1, 1}, {13, 7}, {7, 70}, {25, 33}}) {
      const Problem p = random_problem(*i, m, n, i->shape.k * (1 + std::int64_t(random() % 3)), random);
      expect_exact(p, p.run());
    }
}

// Every count of rows and of columns around the tiles of all levels.
TEST(GemmInteger, EveryTileEdge) {
  std::mt19937 random(22);
  for (const char* name :
       {"m16n8k32.s32.s8.s8.s32", "sp.m16n8k32.s32.u8.u8.s32", "m16n8k128.s32.b1.b1.s32.xor"}) {
    const auto& i = isa::find_instruction(name);
    for (std::int64_t m = 1; m <= 13; ++m) {
      const Problem p = random_problem(i, m, 5 * m, i.shape.k, random);
      expect_exact(p, p.run());
    }
    for (std::int64_t n = 60; n <= 68; ++n) {
      const Problem p = random_problem(i, 3, n, i.shape.k, random);
      expect_exact(p, p.run());
    }
  }
}

// More rows, columns and k than a task, a panel and a stretch of k take.
TEST(GemmInteger, ManyPanelsAndStretchesOfK) {
  std::mt19937 random(23);
  for (const auto* i : integer_rows()) {
    if (i->shape.m != 16 || i->shape.k * isa::bits(i->a) != (i->is_sparse() ? 512 : 256)) continue;
    const std::int64_t stretch = 1024 * 32 / isa::bits(i->a) * (i->is_sparse() ? 2 : 1);
    const Problem p = random_problem(*i, 5, 3, 2 * stretch + 3 * i->shape.k, random);
    expect_exact(p, p.run());
    const Problem q = random_problem(*i, 251, 131, i->shape.k, random);
    expect_exact(q, q.run());
  }
}

TEST(GemmInteger, ExtremesOfEveryTypeWrap) {
  std::mt19937 random(24);
  for (const auto* i : integer_rows()) {
    const std::uint64_t ones = (1u << isa::bits(i->a)) - 1, top = (ones + 1) / 2;
    for (const std::uint64_t x : {ones, top})
      for (const std::uint64_t y : {ones, top})
        for (const std::int64_t c : {int_max, int_min}) {
          Problem p = random_problem(*i, 7, 5, 2 * i->shape.k, random);
          fill(p.a, x), fill(p.b, y), fill(p.c, std::uint32_t(c));
          expect_exact(p, p.run());
        }
  }
}

// Sums that leave 32 bits more than once.
TEST(GemmInteger, LongSumsWrapForEverySign) {
  std::mt19937 random(25);
  for (const char* name :
       {"m16n8k32.s32.s8.s8.s32", "m16n8k32.s32.s8.u8.s32", "m16n8k32.s32.u8.s8.s32",
        "m16n8k32.s32.u8.u8.s32", "sp.m16n8k64.s32.u8.u8.s32", "sp.m16n8k64.s32.s8.s8.s32"}) {
    const auto& i = isa::find_instruction(name);
    Problem p = random_problem(i, 2, 3, std::int64_t(1) << 19, random);
    for (std::int64_t at = 0; at < p.a.cols(); ++at) p.a.set_bits(0, at, isa::is_signed(i.a) ? 0x80 : 0xff);
    for (std::int64_t at = 0; at < p.b.cols(); ++at) p.b.set_bits(0, at, isa::is_signed(i.b) ? 0x80 : 0xff);
    expect_exact(p, p.run());
  }
}

TEST(GemmInteger, EmptySizes) {
  std::mt19937 random(26);
  for (const char* name :
       {"m16n8k32.s32.s8.s8.s32", "m16n8k256.s32.b1.b1.s32.and", "sp.m16n8k128.s32.s4.u4.s32"}) {
    const auto& i = isa::find_instruction(name);
    for (const auto& [m, n, k] : {std::array<std::int64_t, 3>{0, 9, 2}, {9, 0, 2}, {0, 0, 0}, {9, 7, 0}}) {
      const Problem p = random_problem(i, m, n, k * i.shape.k, random);
      EXPECT_EQ(p.run(), k == 0 ? p.c : PackedMatrix(i.d, m, n)) << name;
    }
  }
}

/// c + a . b with a clamp after every `step` stored elements.
std::int64_t clamped_chain(const Problem& p, std::int64_t row, std::int64_t col) {
  std::int64_t sum = p.c.integer(row, col);
  for (std::int64_t k0 = 0; k0 < p.a.cols(); k0 += p.i.stored_k()) {
    std::vector<std::uint64_t> x, y;
    for (std::int64_t at = k0; at < k0 + p.i.stored_k(); ++at) {
      x.push_back(p.a.bits(row, at));
      y.push_back(p.b.bits(col, selected_column(p, row, at)));
    }
    sum = std::clamp(sum + std::int32_t(std::uint32_t(oracle::dot(p.i, x, y, 0))), int_min, int_max);
  }
  return sum;
}

TEST(GemmInteger, SatfiniteEqualsTheClampedChain) {
  std::mt19937 random(27);
  NumericOptions clamp;
  clamp.satfinite = true;
  int clamped = 0;
  for (const auto* i : integer_rows()) {
    if (i->a == ElementType::b1) continue;
    for (const bool small_c : {false, true}) {
      Problem p = random_problem(*i, 9, 11, 3 * i->shape.k, random);
      for (std::int64_t r = 0; r < 9; ++r)
        for (std::int64_t c = 0; c < 11; ++c) {
          const std::int64_t near = std::int64_t(random() % 1000);
          p.c.set_integer(r, c, small_c ? near : (random() % 2 ? int_max - near : int_min + near));
        }
      const PackedMatrix d = p.run(clamp);
      for (std::int64_t r = 0; r < 9; ++r)
        for (std::int64_t c = 0; c < 11; ++c) {
          ASSERT_EQ(d.integer(r, c), clamped_chain(p, r, c)) << isa::short_name(*i);
          clamped += clamped_chain(p, r, c) != expected(p, r, c);
        }
    }
  }
  EXPECT_GT(clamped, 1000);  // else the test tests nothing
}

// The bound is exact: one product more, or one more in C, and the sum clamps.
TEST(GemmInteger, SatfiniteIsNeededFromTheFirstSumThatLeaves32Bits) {
  const auto& i = isa::find_instruction("m16n8k32.s32.s8.s8.s32");
  NumericOptions clamp;
  clamp.satfinite = true;
  PackedMatrix a(i.a, 1, 64), b(i.b, 1, 64), c(i.c, 1, 1);
  fill(a, 0x80), fill(b, 0x80);
  const std::int64_t sum = 64 * 128 * 128;
  for (const std::int64_t over : {0, 1}) {
    c.set_integer(0, 0, int_max - sum + over);
    EXPECT_EQ(sums_may_saturate(i, 64, &c), over == 1);
    EXPECT_EQ(gemm(i, a, b, &c, clamp).integer(0, 0), int_max);
  }
  EXPECT_FALSE(sums_may_saturate(i, 131071, nullptr));
  EXPECT_TRUE(sums_may_saturate(i, 131072, nullptr));
  EXPECT_TRUE(sums_may_saturate(isa::find_instruction("m16n8k32.s32.u8.u8.s32"), 33026, nullptr));
  EXPECT_FALSE(sums_may_saturate(isa::find_instruction("m16n8k32.s32.u8.u8.s32"), 33025, nullptr));
}

}  // namespace
}  // namespace twofour::emu
