#include "twofour/emu/matrix/gemm.h"

#include <gtest/gtest.h>

#include <functional>

#include "oracle.h"
#include "twofour/emu/matrix/verify.h"
#include "twofour/emu/matrix/warp_gemm.h"
#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

using isa::ElementType;
using oracle::sm_80_rows;

/// The GEMM as a kernel does it: a loop of warp instructions over tiles, k ascending.
PackedMatrix warp_loop(const isa::Instruction& i, const PackedMatrix& stored_a, const SparseMatrix* sparse,
                       const PackedMatrix& b, const PackedMatrix& c, const NumericOptions& options) {
  PackedMatrix d(i.d, c.rows(), c.cols());
  for (std::int64_t m = 0; m * i.shape.m < d.rows(); ++m)
    for (std::int64_t n = 0; n * i.shape.n < d.cols(); ++n)
      store_fragment(i, warp_gemm_tile(i, stored_a, sparse, b, &c, m, n, options), d, m * i.shape.m,
                     n * i.shape.n);
  return d;
}

void expect_equals_warp_loop(const isa::Instruction& i, std::mt19937& random, bool specials,
                             const NumericOptions& options) {
  const std::int64_t m = 37, n = 43, k = 3 * i.shape.k;  // edges of every tile shape
  const PackedMatrix b = oracle::random_matrix(i.b, n, k, random, specials);
  const PackedMatrix c = oracle::random_matrix(i.c, m, n, random, specials);
  const PackedMatrix a = oracle::random_matrix(i.a, m, k, random, specials, i.is_sparse());
  if (i.is_sparse()) {
    const SparseMatrix s = compress(a);
    ASSERT_EQ(gemm(i, s, b, &c, options), warp_loop(i, s.values, &s, b, c, options)) << isa::short_name(i);
  } else {
    ASSERT_EQ(gemm(i, a, b, &c, options), warp_loop(i, a, nullptr, b, c, options)) << isa::short_name(i);
  }
}

TEST(Gemm, EqualsALoopOfWarpInstructionsOnEveryRow) {
  std::mt19937 random(5);
  for (const auto& i : sm_80_rows())
    for (const bool specials : {false, true}) {
      if (i.a == ElementType::f64 && specials) continue;
      expect_equals_warp_loop(i, random, specials, {});
    }
}

// Operands near 2^-63 and 2^63: sums cross the smallest normal number and the largest one.
TEST(Gemm, ResultsAtBothEndsOfTheRangeEqualTheWarpLoop) {
  std::mt19937 random(12);
  const auto& i = isa::find_instruction("m16n8k16.f32.bf16.bf16.f32");
  for (const int middle : {127 - 63, 127 + 63}) {
    PackedMatrix a(ElementType::bf16, 32, 32), b(ElementType::bf16, 32, 32), c(ElementType::f32, 32, 32);
    for (std::int64_t r = 0; r < 32; ++r)
      for (std::int64_t col = 0; col < 32; ++col) {
        const auto word = [&] {
          return (random() & 1) << 15 | (std::uint64_t(middle) - 3 + random() % 6) << 7 | (random() & 0x7f);
        };
        a.set_bits(r, col, word());
        b.set_bits(r, col, word());
        c.set_bits(r, col, random() & 0x80ffffff);
      }
    EXPECT_EQ(gemm(i, a, b, &c), warp_loop(i, a, nullptr, b, c, {}));
  }
}

TEST(Gemm, SatfiniteClampsOnceAnInstruction) {
  std::mt19937 random(6);
  NumericOptions clamp;
  clamp.satfinite = true;
  for (const char* name : {"m16n8k32.s32.s8.s8.s32", "sp.m16n8k128.s32.s4.u4.s32"})
    expect_equals_warp_loop(isa::find_instruction(name), random, false, clamp);
}

TEST(Gemm, OtherArchitecturesEqualTheirWarpLoop) {
  std::mt19937 random(7);
  for (const auto arch : {isa::Architecture::hopper, isa::Architecture::ada}) {
    NumericOptions options;
    options.architecture = arch;
    expect_equals_warp_loop(isa::find_instruction("m16n8k16.f32.f16.f16.f32"), random, false, options);
  }
}

TEST(Gemm, IntegersEqualANaiveSum) {
  std::mt19937 random(8);
  for (const auto& i : sm_80_rows()) {
    if (isa::is_float(i.a)) continue;
    const std::int64_t m = 21, n = 19, k = 2 * i.shape.k;
    const PackedMatrix a = oracle::random_matrix(i.a, m, k, random, false, i.is_sparse());
    const PackedMatrix b = oracle::random_matrix(i.b, n, k, random, false);
    const PackedMatrix d = i.is_sparse() ? gemm(i, compress(a), b) : gemm(i, a, b);
    for (std::int64_t r = 0; r < m; ++r)
      for (std::int64_t col = 0; col < n; ++col) {
        std::vector<std::uint64_t> x, y;
        for (std::int64_t at = 0; at < k; ++at) {
          x.push_back(a.bits(r, at));
          y.push_back(b.bits(col, at));
        }
        ASSERT_EQ(d.bits(r, col), oracle::dot(i, x, y, 0)) << isa::short_name(i);
      }
  }
}

// 2^17 products of 255 * 255 leave the 32-bit range: the sum must wrap, whatever the fast path's chunks are.
TEST(Gemm, LongSumsWrap) {
  const std::int64_t k = std::int64_t(1) << 17;
  PackedMatrix a(ElementType::u8, 1, k), b(ElementType::u8, 1, k);
  for (std::int64_t c = 0; c < k; ++c) a.set_bits(0, c, 255), b.set_bits(0, c, 255);
  const auto d = gemm(isa::find_instruction("m16n8k32.s32.u8.u8.s32"), a, b);
  EXPECT_EQ(d.bits(0, 0), std::uint32_t(std::uint64_t(k) * 255 * 255));
}

// 0 * 2^127 has the exponent of a zero, not of 2^127: beside it 2^-40 survives. Hardware gives 2^-40.
TEST(Gemm, AZeroTimesAHugeNumberHidesNothing) {
  for (const char* name : {"m16n8k8.f32.bf16.bf16.f32", "sp.m16n8k16.f32.bf16.bf16.f32"}) {
    const auto& i = isa::find_instruction(name);
    PackedMatrix a(ElementType::bf16, 1, i.shape.k), b(ElementType::bf16, 1, i.shape.k);
    b.set_bits(0, 0, 0x7f00);                            // 2^127 meets a zero
    a.set_bits(0, 1, 0x3f80), b.set_bits(0, 1, 0x2b80);  // 2^-40
    EXPECT_EQ((i.is_sparse() ? gemm(i, compress(a), b) : gemm(i, a, b)).bits(0, 0), 0x2b800000u) << name;
  }
}

// 0.5 ulp steps that vanish one at a time: the order of blocks (k ascending) decides the result.
TEST(Gemm, BlocksAreChainedInAscendingK) {
  const auto& i = isa::find_instruction("m16n8k8.f32.f16.f16.f32");
  PackedMatrix a(ElementType::f16, 1, 16), b(ElementType::f16, 1, 16);
  a.set_bits(0, 0, 0x3c00), b.set_bits(0, 0, 0x3c00);  // block 0: 1
  a.set_bits(0, 8, 0x0c00), b.set_bits(0, 8, 0x0c00);  // block 1: 2^-24, lost beside 1
  EXPECT_EQ(gemm(i, a, b).bits(0, 0), 0x3f800000u);
  a.set_bits(0, 8, 0xbc00), b.set_bits(0, 8, 0x3c00);  // block 1: -1
  a.set_bits(0, 1, 0x0c00), b.set_bits(0, 1, 0x0c00);  // block 0: 1 + 2^-24, truncated to 1
  EXPECT_EQ(gemm(i, a, b).bits(0, 0), 0u);
}

// fp8 exists on Ada alone; elsewhere it is refused, not computed by some other rule.
TEST(Gemm, Fp8EqualsTheWarpLoopOnAdaAndIsRefusedElsewhere) {
  std::mt19937 random(9);
  NumericOptions ada;
  ada.architecture = isa::Architecture::ada;
  const auto& i = isa::find_instruction("m16n8k32.f32.e4m3.e5m2.f32");
  expect_equals_warp_loop(i, random, false, ada);
  const PackedMatrix a(i.a, 16, 32), b(i.b, 8, 32);
  EXPECT_THROW(gemm(i, a, b), Error);
}

TEST(Gemm, MisfitsAreRefused) {
  const auto& dense = isa::find_instruction("m16n8k32.s32.s8.s8.s32");
  const auto& sparse = isa::find_instruction("sp.m16n8k64.s32.s8.s8.s32");
  const PackedMatrix a(ElementType::s8, 16, 64), b(ElementType::s8, 8, 64), c(ElementType::s32, 16, 9);
  const auto message = [](const std::function<void()>& act) {
    try {
      act();
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("was not refused");
  };
  EXPECT_NE(message([&] {
              gemm(dense, PackedMatrix(ElementType::s8, 16, 48), PackedMatrix(ElementType::s8, 8, 48));
            }).find("K = 48 is not a multiple of 32"),
            std::string::npos);
  EXPECT_NE(
      message([&] { gemm(dense, PackedMatrix(ElementType::u8, 16, 64), b); }).find("operand A holds u8"),
      std::string::npos);
  EXPECT_NE(message([&] { gemm(dense, a, PackedMatrix(ElementType::s8, 8, 32)); }).find("A has 64 columns"),
            std::string::npos);
  EXPECT_NE(message([&] { gemm(dense, a, b, &c); }).find("C is 16 x 9"), std::string::npos);
  EXPECT_NE(message([&] { gemm(sparse, a, b); }).find("compress"), std::string::npos);
  EXPECT_NE(message([&] { gemm(dense, compress(a), b); }).find("dense A"), std::string::npos);
  EXPECT_NE(message([&] {
              choose_instruction(ElementType::b1, ElementType::b1, ElementType::s32, true);
            }).find("no mma.sp"),
            std::string::npos);
}

TEST(Gemm, VerificationFindsAFlippedBit) {
  std::mt19937 random(13);
  for (const char* name :
       {"m16n8k16.f32.f16.f16.f32", "m16n8k32.s32.s8.s8.s32", "sp.m16n8k128.s32.s4.s4.s32"}) {
    const auto& i = isa::find_instruction(name);
    const auto a = oracle::random_matrix(i.a, 32, i.shape.k, random, false, i.is_sparse());
    const auto b = oracle::random_matrix(i.b, 24, i.shape.k, random, false);
    const SparseMatrix s = i.is_sparse() ? compress(a) : SparseMatrix();
    PackedMatrix d = i.is_sparse() ? gemm(i, s, b) : gemm(i, a, b);
    const auto verify = [&] {
      return verify_gemm(i, i.is_sparse() ? s.values : a, i.is_sparse() ? &s : nullptr, b, nullptr, d);
    };
    EXPECT_EQ(verify().differing, 0) << name;
    EXPECT_EQ(verify().compared, 32 * 24) << name;
    d.set_bits(31, 23, d.bits(31, 23) ^ 1);
    EXPECT_EQ(verify().differing, 1) << name;
  }
}

TEST(Gemm, ChoosesTheLargestInstruction) {
  EXPECT_EQ(choose_instruction(ElementType::s8, ElementType::u8, ElementType::s32, true).shape.k, 64);
  EXPECT_EQ(choose_instruction(ElementType::f16, ElementType::f16, ElementType::f32, false).shape.k, 16);
  EXPECT_EQ(
      choose_instruction(ElementType::b1, ElementType::b1, ElementType::s32, false, isa::BitOp::xor_popc).op,
      isa::BitOp::xor_popc);
}

}  // namespace
}  // namespace twofour::emu
