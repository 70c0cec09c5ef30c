// Float GEMM against the scalar definition, emu::dot, bit for bit: operands by exponent class, the edges of
// what the vector kernels take, and both sides of them.
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <functional>

#include "oracle.h"
#include "twofour/emu/matrix/gemm.h"
#include "twofour/emu/numerics/block.h"
#include "twofour/emu/numerics/dot.h"
#include "twofour/emu/numerics/half.h"
#include "twofour/emu/numerics/window.h"
#include "twofour/isa/sparsity.h"

namespace twofour::emu {
namespace {

using isa::Architecture;
using isa::ElementType;
using Random = std::mt19937;

std::int64_t between(Random& random, std::int64_t low, std::int64_t high) {
  return low + std::int64_t(random() % std::uint64_t(high - low + 1));
}

/// A word with a random sign and significand and that raw exponent; below the smallest normal one, a
/// subnormal.
std::uint64_t word_of(ElementType type, int exponent, Random& random) {
  const FloatFormat f = float_format(type);
  const int field = std::max(exponent + f.bias(), 0);
  const std::uint32_t fraction = std::uint32_t(random()) & ((1u << f.fraction_bits) - 1);
  return std::uint64_t(random() & 1) << (f.exponent_bits + f.fraction_bits) |
         std::uint64_t(field) << f.fraction_bits | (random() % 4 == 0 ? 0 : fraction);
}

using Words = std::function<std::uint64_t()>;

PackedMatrix filled(ElementType type, std::int64_t rows, std::int64_t cols, const Words& word) {
  PackedMatrix m(type, rows, cols);
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < cols; ++c) m.set_bits(r, c, word());
  return m;
}

/// Exponents of one range, an eighth zeros.
Words exponents(ElementType type, int low, int high, Random& random) {
  return [=, &random] {
    return random() % 8 == 0 ? (random() & 1) << (isa::bits(type) - 1)
                             : word_of(type, int(between(random, low, high)), random);
  };
}

/// Zeroes random elements so that the matrix has the sparse form.
void thin(PackedMatrix& m, Random& random) {
  const int group = m.type() == ElementType::tf32 ? 2 : 4;
  for (std::int64_t r = 0; r < m.rows(); ++r)
    for (std::int64_t c = 0; c < m.cols(); c += group) {
      const auto first = std::int64_t(random() % unsigned(group));
      const std::int64_t step = group == 2 ? 0 : 1 + std::int64_t(random() % 3);
      m.set_bits(r, c + first, 0);
      m.set_bits(r, c + (first + step) % group, 0);
    }
}

std::uint64_t defined(const isa::Instruction& i, const PackedMatrix& a, const SparseMatrix* sparse,
                      const PackedMatrix& b, std::uint64_t sum, std::int64_t row, std::int64_t col,
                      const NumericOptions& options) {
  const std::int64_t step = i.stored_k();
  std::vector<std::uint64_t> x, y;
  for (std::int64_t k0 = 0; k0 < a.cols(); k0 += step) {
    x.clear(), y.clear();
    for (std::int64_t k = k0; k < k0 + step; ++k) {
      x.push_back(a.bits(row, k));
      std::int64_t at = k;
      if (sparse != nullptr) {
        const int stored = isa::stored_columns(i.sparsity);
        at = k / stored * isa::group_columns(i.sparsity) +
             isa::logical_column(i.sparsity, sparse->code(row, k / stored), int(k % stored));
      }
      y.push_back(b.bits(col, at));
    }
    sum = dot(i, x, y, sum, options);
  }
  return sum;
}

/// gemm() on A (dense, of the sparse form where the instruction is), B and C equals the definition
/// everywhere.
void expect_defined(const isa::Instruction& i, const PackedMatrix& a, const PackedMatrix& b,
                    const PackedMatrix* c, Architecture architecture = Architecture::ampere) {
  NumericOptions options;
  options.architecture = architecture;
  const SparseMatrix sparse = i.is_sparse() ? compress(a) : SparseMatrix();
  const PackedMatrix d = i.is_sparse() ? gemm(i, sparse, b, c, options) : gemm(i, a, b, c, options);
  ASSERT_EQ(d.rows(), a.rows());
  ASSERT_EQ(d.cols(), b.rows());
  for (std::int64_t row = 0; row < d.rows(); ++row)
    for (std::int64_t col = 0; col < d.cols(); ++col)
      ASSERT_EQ(d.bits(row, col),
                defined(i, i.is_sparse() ? sparse.values : a, i.is_sparse() ? &sparse : nullptr, b,
                        c != nullptr ? c->bits(row, col) : 0, row, col, options))
          << isa::short_name(i) << " on " << isa::name(architecture) << ", row " << row << ", column " << col;
}

void expect_defined(const isa::Instruction& i, std::int64_t m, std::int64_t n, std::int64_t k,
                    const Words& a_word, const Words& b_word, const Words& c_word, Random& random,
                    Architecture architecture = Architecture::ampere) {
  PackedMatrix a = filled(i.a, m, k, a_word);
  if (i.is_sparse()) thin(a, random);
  const PackedMatrix b = filled(i.b, n, k, b_word), c = filled(i.c, m, n, c_word);
  expect_defined(i, a, b, &c, architecture);
}

std::vector<isa::Instruction> window_rows() {
  std::vector<isa::Instruction> rows;
  for (const auto& i : isa::instructions())
    if (isa::is_float(i.a) && i.a != ElementType::f64) rows.push_back(i);
  return rows;
}

bool known(Architecture architecture, const isa::Instruction& i) {
  try {
    isa::block_rule(architecture, i.a, i.d);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

constexpr std::array all_architectures{Architecture::volta, Architecture::turing, Architecture::ampere,
                                       Architecture::ada,   Architecture::hopper, Architecture::blackwell};

TEST(GemmFloat, EveryRowOnEveryArchitectureByExponentRange) {
  Random random(1);
  struct Range {
    int low, high;
  };
  for (const auto& i : window_rows())
    for (const Architecture architecture : all_architectures) {
      if (!known(architecture, i)) continue;
      for (const Range r : {Range{-15, 15}, Range{-4, 4}, Range{-1, 0}, Range{-15, -9}, Range{-12, 1}})
        expect_defined(i, 9, 77, 3 * i.shape.k, exponents(i.a, r.low, r.high, random),
                       exponents(i.b, r.low, r.high, random), exponents(i.c, r.low, r.high, random), random,
                       architecture);
    }
}

TEST(GemmFloat, LongSumsCrossChunksTilesAndPanels) {
  Random random(2);
  for (const auto& i : window_rows())
    expect_defined(i, 67, 64 + 23, 11 * std::max(16, i.shape.k), exponents(i.a, -6, 3, random),
                   exponents(i.b, -6, 3, random), exponents(i.c, -6, 6, random), random);
}

// Every product meets its negative, in the same block or a later one: what is left is what truncation left.
TEST(GemmFloat, Cancellation) {
  Random random(3);
  for (const auto& i : window_rows())
    for (const std::int64_t distance : {1, 8, 32}) {
      if (i.is_sparse() && distance == 1) continue;
      PackedMatrix a = filled(i.a, 9, 64, exponents(i.a, -14, 4, random));
      PackedMatrix b = filled(i.b, 70, 64, exponents(i.b, -14, 4, random));
      if (i.is_sparse()) thin(a, random);
      const std::uint64_t sign = std::uint64_t(1) << (isa::bits(i.a) - 1);
      for (std::int64_t k = 0; k < 64; ++k) {
        if (k / distance % 2 == 0) continue;
        for (std::int64_t r = 0; r < a.rows(); ++r) a.set_bits(r, k, a.bits(r, k - distance) ^ sign);
        for (std::int64_t r = 0; r < b.rows(); ++r) b.set_bits(r, k, b.bits(r, k - distance));
      }
      const PackedMatrix c = filled(i.c, 9, 70, exponents(i.c, -14, -8, random));
      expect_defined(i, a, b, &c);
    }
}

// Few significands and exponents eleven apart: sums lie on and beside the ties of f16, subnormals included.
TEST(GemmFloat, TiesOfTheHalfAccumulator) {
  Random random(4);
  for (const auto& i : window_rows()) {
    if (i.d != ElementType::f16) continue;
    for (const int base : {0, -8, -14}) {
      const auto a = [&]() -> std::uint64_t {
        constexpr std::uint32_t significand[] = {0x3c00, 0x3c01, 0xbc00, 0x3e00, 0x1000, 0x0001, 0x8001, 0};
        return significand[random() % 8];
      };
      const auto b = [&]() -> std::uint64_t {
        const int exponent = base - int(between(random, 0, 1)) * int(between(random, 10, 13));
        return random() % 2 ? word_of(ElementType::f16, exponent, random) & 0xfc00
                            : word_of(ElementType::f16, exponent, random);
      };
      for (const Architecture architecture : {Architecture::ampere, Architecture::hopper})
        expect_defined(i, 33, 90, 32, a, b, exponents(ElementType::f16, base - 1, base + 1, random), random,
                       architecture);
    }
  }
}

// Sums around 65504 and 65520 on both sides; an infinity then meets further finite products.
TEST(GemmFloat, OverflowOfTheHalfAccumulator) {
  Random random(5);
  for (const auto& i : window_rows()) {
    if (i.d != ElementType::f16) continue;
    for (const int high : {5, 7, 15})
      expect_defined(i, 17, 83, 96, exponents(i.a, high - 3, high, random),
                     exponents(i.b, high - 3, high, random), exponents(i.c, 13, 15, random), random);
  }
  PackedMatrix a(ElementType::f16, 1, 16), b(ElementType::f16, 3, 16), c(ElementType::f16, 1, 3);
  a.set_bits(0, 0, 0x3c00);  // 1
  b.set_bits(0, 0, 0x4bff);  // 15.99: 65504 + 15.99 stays below the tie
  b.set_bits(1, 0, 0x4c00);  // 16: 65520, a tie, goes to the even one, infinity
  b.set_bits(2, 0, 0xcc00);  // -16
  for (int j = 0; j < 3; ++j) c.set_bits(0, j, j == 2 ? 0xfbff : 0x7bff);
  const PackedMatrix d = gemm(isa::find_instruction("m16n8k16.f16.f16.f16.f16"), a, b, &c);
  EXPECT_EQ(d.bits(0, 0), 0x7bffu);
  EXPECT_EQ(d.bits(0, 1), 0x7c00u);
  EXPECT_EQ(d.bits(0, 2), 0xfc00u);
}

// All 65536 words as C, NaN and infinities among them.
TEST(GemmFloat, EveryHalfAsAccumulator) {
  Random random(6);
  for (const auto& i : window_rows()) {
    if (i.d != ElementType::f16) continue;
    for (const int high : {-12, -5, 0}) {
      std::uint32_t next = 0;
      expect_defined(
          i, 256, 256, i.shape.k, exponents(i.a, high - 6, high, random),
          exponents(i.b, high - 6, high, random), [&] { return next++; }, random);
    }
  }
}

TEST(GemmFloat, AccumulatorsOfEverySize) {
  Random random(7);
  for (const auto& i : window_rows()) {
    if (i.d != ElementType::f32) continue;
    const auto c = [&]() -> std::uint64_t {
      constexpr std::uint32_t special[] = {0,          0x80000000, 1,          0x807fffff,
                                           0x7f800000, 0xff800000, 0x7fc00000, 0x7f7fffff};
      return random() % 8 == 0 ? special[random() % 8]
                               : word_of(ElementType::f32, int(between(random, -127, 127)), random);
    };
    expect_defined(i, 40, 90, 64, exponents(i.a, -10, 3, random), exponents(i.b, -10, 3, random), c, random);
    const auto zero = [] { return std::uint64_t(0); };
    expect_defined(i, 20, 90, 64, zero, exponents(i.b, -10, 3, random), c, random);
  }
}

// Blocks of zeros keep a tiny accumulator; a huge operand that meets a zero does not count.
TEST(GemmFloat, ZerosBesideHugeAndTiny) {
  Random random(8);
  for (const auto& i : window_rows()) {
    const int most = i.a == ElementType::f16 ? 15 : 30, least = i.a == ElementType::f16 ? -15 : -45;
    PackedMatrix a(i.a, 20, 128), b(i.b, 70, 128);
    for (std::int64_t k = 0; k < 128; ++k) {
      const bool a_zero = k % 32 >= 8 && k % 2, b_zero = k % 32 >= 8 && !a_zero;
      const int at = k % 32 < 4 ? least + 8 : most;
      for (std::int64_t r = 0; r < 20; ++r)
        a.set_bits(r, k, a_zero ? 0 : word_of(i.a, b_zero ? most : at, random));
      for (std::int64_t r = 0; r < 70; ++r)
        b.set_bits(r, k, b_zero || random() % 3 == 0 ? 0 : word_of(i.b, a_zero ? most : at - 8, random));
    }
    if (i.is_sparse()) thin(a, random);
    expect_defined(i, a, b, nullptr);
  }
}

TEST(GemmFloat, NanAndInfinityInSomeRowsAndColumns) {
  Random random(9);
  for (const auto& i : window_rows()) {
    if (i.is_sparse()) continue;
    PackedMatrix a = filled(i.a, 20, 64, exponents(i.a, -3, 3, random));
    PackedMatrix b = filled(i.b, 90, 64, exponents(i.b, -3, 3, random));
    const std::uint64_t infinity = float_format(i.a).infinity(), low_payload = 1;
    a.set_bits(3, 5, infinity);
    a.set_bits(7, 60, infinity | low_payload);  // tf32 drops this payload: an infinity
    b.set_bits(2, 5, infinity);
    b.set_bits(50, 11, infinity << 1 >> 1 | std::uint64_t(1) << (isa::bits(i.b) - 1));
    b.set_bits(88, 0, float_format(i.b).magnitude_mask());
    expect_defined(i, a, b, nullptr);
  }
}

/// Exponents of the operands that meet a zero (high) and of those that meet each other (low, low + 1).
struct Exponents {
  int a_high, a_low, b_high, b_low, c_low, c_high;
};

/// Large elements widen the lines but meet zeros, so that D shows every bit of the small ones.
void expect_defined_on(const isa::Instruction& i, const Exponents& e, Random& random) {
  const std::int64_t k = 4 * std::max(i.shape.k, 16);
  PackedMatrix a(i.a, 3, k), b(i.b, 20, k);
  const int group = i.is_sparse() ? 8 : 4;
  const auto element = [&](std::int64_t at, int high_at, int zero_at, int high, int low) -> std::uint64_t {
    if (at % group == high_at) return word_of(i.a, high, random);
    return at % group == zero_at || random() % 2 ? 0 : word_of(i.a, low + int(random() % 2), random);
  };
  for (std::int64_t at = 0; at < k; ++at) {
    for (std::int64_t r = 0; r < a.rows(); ++r) a.set_bits(r, at, element(at, 0, 1, e.a_high, e.a_low));
    for (std::int64_t r = 0; r < b.rows(); ++r) b.set_bits(r, at, element(at, 1, 0, e.b_high, e.b_low));
  }
  if (i.is_sparse()) thin(a, random);
  const PackedMatrix c = filled(i.c, 3, 20, exponents(i.c, e.c_low, e.c_high, random));
  expect_defined(i, a, b, &c);
  expect_defined(i, a, b, nullptr);
}

TEST(GemmFloat, TheEdgesOfTheExponentRange) {
  Random random(10);
  for (const char* name :
       {"m16n8k8.f32.bf16.bf16.f32", "m16n8k4.f32.tf32.tf32.f32", "sp.m16n8k32.f32.bf16.bf16.f32"}) {
    const auto& i = isa::find_instruction(name);
    for (int step = -24; step <= 24; ++step) {
      const int half = step / 2, rest = step - half;
      // The last bit of the smallest product, alone and beside larger ones: f32 ends at 2^-149.
      expect_defined_on(i, {-60, -66 - half, -60, -66 - rest, -127, -110}, random);
      expect_defined_on(i, {0, -66 - half, -20, -66 - rest, -127, -110}, random);
      // From the largest exponents to that last bit: 206.
      expect_defined_on(i, {40 + half, -48, 40 + rest, -60, -110, -90}, random);
      // Within a line, where the scaled elements would leave f32: 182.
      expect_defined_on(i, {75 + step, -95, 10, 10, -75, -55}, random);
      // Sums and C near the largest number.
      expect_defined_on(i, {60, 60 + half, 50, 55 + rest, 110, 127}, random);
      // C far below and far above the products.
      expect_defined_on(i, {0, -1, 0, -1, -105 + step, -95 + step}, random);
      expect_defined_on(i, {-40, -41, -40, -41, -60 + step, -40 + step}, random);
    }
  }
}

// The largest f32 plus 2^117 is infinity, whatever follows.
TEST(GemmFloat, AnOverflowedSumStaysInfinite) {
  const auto& i = isa::find_instruction("m16n8k8.f32.bf16.bf16.f32");
  PackedMatrix a(ElementType::bf16, 1, 16), b(ElementType::bf16, 1, 16), c(ElementType::f32, 1, 1);
  for (const int k : {0, 8}) a.set_bits(0, k, (127 + 60) << 7);
  b.set_bits(0, 0, (127 + 57) << 7), b.set_bits(0, 8, (256 + 127 + 57) << 7);
  c.set_bits(0, 0, 0x7f7fffff);
  EXPECT_EQ(gemm(i, a, b, &c).bits(0, 0), 0x7f800000u);
}

// E0 of the f16 accumulator is -21: beside zeros, bits below 2^-45 are gone.
TEST(GemmFloat, ZerosCutTheHalfAccumulatorAtTheirExponent) {
  const auto& i = isa::find_instruction("m16n8k16.f16.f16.f16.f16");
  PackedMatrix a(ElementType::f16, 1, 16), b(ElementType::f16, 2, 16);
  a.set_bits(0, 0, 0x0c00), a.set_bits(0, 1, 0x0001);    // 2^-12, 2^-24
  for (int j = 0; j < 2; ++j) b.set_bits(j, 0, 0x0800);  // 2^-13: with 2^-12 a tie between 0 and 2^-24
  b.set_bits(0, 1, 0x0004);                              // 2^-22: 2^-46 is lost
  b.set_bits(1, 1, 0x0008);                              // 2^-21: 2^-45 breaks the tie
  const PackedMatrix d = gemm(i, a, b);
  EXPECT_EQ(d.bits(0, 0), 0u);
  EXPECT_EQ(d.bits(0, 1), 1u);
}

TEST(GemmFloat, AllWordsOfEveryClass) {
  Random random(11);
  for (const auto& i : window_rows()) {
    const auto any = [&](ElementType t) -> Words {
      return [=, &random] { return oracle::random_word(t, random, false); };
    };
    expect_defined(i, 20, 70, 2 * i.shape.k, any(i.a), any(i.b), any(i.c), random);
  }
}

TEST(GemmFloat, OddSizes) {
  Random random(12);
  for (const auto& i : window_rows())
    for (const auto& [m, n] :
         {std::pair{1, 1}, {1, 200}, {200, 1}, {3, 16}, {2, 17}, {65, 8}, {5, 64}, {5, 65}, {0, 5}, {5, 0}})
      for (const std::int64_t k : {0, i.shape.k, 5 * i.shape.k})
        expect_defined(i, m, n, k, exponents(i.a, -5, 2, random), exponents(i.b, -5, 2, random),
                       exponents(i.c, -5, 2, random), random);
}

TEST(GemmFloat, DoublesAreAChainOfFusedMultiplyAdds) {
  Random random(13);
  const auto& i = isa::find_instruction("m8n8k4.f64.f64.f64.f64");
  const auto word = [&]() -> std::uint64_t {
    const std::uint64_t fraction = (std::uint64_t(random()) << 32 | random()) >> 12;
    const auto exponent =
        std::uint64_t(random() % 16 == 0 ? between(random, 0, 2046) : between(random, 1015, 1030));
    return std::uint64_t(random() & 1) << 63 | exponent << 52 | fraction;
  };
  for (const auto& [m, n] : {std::pair{1, 1}, {7, 37}, {66, 5}, {19, 130}, {0, 3}, {3, 0}})
    for (const std::int64_t k : {0, 4, 68}) expect_defined(i, m, n, k, word, word, word, random);
  PackedMatrix a = filled(i.a, 9, 8, word), b = filled(i.b, 21, 8, word);
  a.set_bits(2, 3, 0x7ff0000000000000), b.set_bits(4, 3, 0), b.set_bits(6, 3, 0xfff0000000000000);
  b.set_bits(8, 1, 0x7ff8000000001234), a.set_bits(5, 2, 0xfff0000000000077);
  expect_defined(i, a, b, nullptr);
}

TEST(GemmFloat, EveryHalfConvertsBothWays) {
  for (std::uint32_t w = 0; w < 0x10000; ++w) {
    const float f = half_to_float(w);
    const Decoded d = decode(float_format(ElementType::f16), w);
    if ((w & 0x7fff) > 0x7c00) {
      EXPECT_TRUE(std::isnan(f));
    } else if ((w & 0x7fff) < 0x7c00) {
      EXPECT_EQ(f, std::ldexp(float(d.significand), d.exponent - 10) * (d.negative ? -1 : 1));
      EXPECT_EQ(std::signbit(f), d.negative);
    }
    if ((w & 0x7fff) <= 0x7c00) {
      EXPECT_EQ(float_to_half_exact(f), w);
    }
  }
}

// The tests above would pass without the kernels: ordinary operands must be taken by them.
TEST(GemmFloat, TheWindowTakesOrdinaryOperands) {
  for (const auto type : {ElementType::f16, ElementType::bf16, ElementType::tf32}) {
    const WindowRule rule = window_rule(Architecture::ampere, type, ElementType::f32, 16);
    Random random(14);
    const int low = type == ElementType::f16 ? -15 : -60, high = type == ElementType::f16 ? 15 : 30;
    const PackedMatrix m = filled(type, 2, 4096, exponents(type, low, high, random));
    std::vector<float> value(4096);
    std::vector<std::uint8_t> drop(4096);
    const WindowLine a = window_unpack(type, m.row(0).data(), 4096, value.data(), drop.data());
    const WindowLine b = window_unpack(type, m.row(1).data(), 4096, value.data(), drop.data());
    EXPECT_TRUE(window_admits(rule, a, b, 1 << 20)) << isa::name(type);
    for (std::size_t k = 0; k < 4096; ++k) {
      const std::uint64_t word = operand_word(type, std::uint32_t(m.bits(1, std::int64_t(k))));
      const float exact =
          type == ElementType::f16
              ? half_to_float(std::uint32_t(word))
              : std::bit_cast<float>(std::uint32_t(word << (type == ElementType::bf16 ? 16 : 0)));
      ASSERT_EQ(value[k] * b.factor, exact);
      ASSERT_EQ(drop[k] == zero_drop, exact == 0);
    }
  }
}

}  // namespace
}  // namespace twofour::emu
