// metacheck: sparse metadata and accumulators.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "twofour/emu/check/accumulator.h"
#include "twofour/isa/layout.h"
#include "under.h"

namespace twofour::emu::check::test {
namespace {

using ptx::test::expect_words;
using ptx::test::kernel;
using ptx::test::TestDevice;
using Words = std::array<std::uint32_t, 32>;

/// A body on 32 lanes: zero in %r10 and %f10, word `l` of `in` in %r20 of lane l.
Checked run(const std::string& body, const Words& in = {}) {
  const CheckerSet checkers({Tool::metacheck});
  TestDevice t(kernel("ld.param.u64 %d5, [in]; mul.wide.u32 %d6, %r0, 4; add.u64 %d6, %d5, %d6;\n"
                      "ld.global.u32 %r20, [%d6]; mov.u32 %r10, 0; mov.f32 %f10, 0f00000000;\n" +
                          body,
                      ", .param .u64 in"),
               watched_by(checkers));
  const std::uint64_t at = t.upload(std::vector<std::uint32_t>(in.begin(), in.end()));
  const std::string failure = ptx::test::error_of([&] { t.results(32, 32, at); });
  return {checkers.findings().list(), failure};
}

Words filled(std::uint32_t word) {
  Words w;
  w.fill(word);
  return w;
}

// Codes

std::string sparse(const std::string& spelling, const std::string& types, int registers_a, int registers_b,
                   int selector) {
  const auto list = [](int n, const std::string& r) {
    std::string out = "{" + r;
    for (int k = 1; k < n; ++k) out += ", " + r;
    return out + "}";
  };
  const bool integer = types.ends_with("s32");
  return spelling + ".sync.aligned." + types + " " +
         (integer ? "{%r1, %r2, %r3, %r4}" : "{%f1, %f2, %f3, %f4}") + ", " + list(registers_a, "%r10") +
         ", " + list(registers_b, "%r10") + ", " + list(4, integer ? "%r10" : "%f10") + ", %r20, " +
         std::to_string(selector) + ";\n";
}
std::string f16_k32(int selector, const std::string& spelling = "mma.sp") {
  return sparse(spelling, "m16n8k32.row.col.f32.f16.f16.f32", 4, 4, selector);
}
std::string f16_k16(int selector) {
  return sparse("mma.sp", "m16n8k16.row.col.f32.f16.f16.f32", 2, 2, selector);
}
const std::string ordered = "mma.sp::ordered_metadata";

// The sixteen codes as docs/metadata.md lists them, from PTX ISA 9.7.14.5.
const std::string ordered_codes = "489CDE", descending_codes = "12367B", duplicate_codes = "05AF";

TEST(MetadataCodes, TwoOfFour) {
  for (int code = 0; code < 16; ++code) {
    SCOPED_TRACE(code);
    const char digit = "0123456789ABCDEF"[code];
    Words w = filled(0x44444444);
    w[13] = (w[13] & ~0xF00u) | std::uint32_t(code) << 8;  // lane 13 bits 8-11: row 3, group 6
    const auto is = [&](const std::string& list) { return list.find(digit) != std::string::npos; };
    const Checked plain = run(f16_k32(0), w), strict = run(f16_k32(0, ordered), w);
    if (is(ordered_codes)) {
      expect_clean(plain);
      expect_clean(strict);
    } else if (is(descending_codes)) {
      expect_clean(plain);
    }
    // Lanes of selector 1 all hold 0x4: that is suspected first.
    if (is(duplicate_codes))
      expect_one(plain, "metadata in lanes of another selector", 1u << 13, {"row 3 group 6"});
  }
}

TEST(MetadataCodes, WithOneSelector) {
  // 8-bit k64: all lanes are read, so nothing else is suspected.
  const std::string types = "m16n8k64.row.col.s32.s8.s8.s32";
  for (int code = 0; code < 16; ++code) {
    SCOPED_TRACE(code);
    const char digit = "0123456789ABCDEF"[code];
    Words w = filled(0xEEEEEEEE);
    w[6] = (w[6] & ~0xF0u) | std::uint32_t(code) << 4;  // lane 6 bits 4-7: row 1, group 9
    const Checked plain = run(sparse("mma.sp", types, 4, 4, 0), w),
                  strict = run(sparse(ordered, types, 4, 4, 0), w);
    if (ordered_codes.find(digit) != std::string::npos) {
      expect_clean(plain);
      expect_clean(strict);
    } else if (descending_codes.find(digit) != std::string::npos) {
      expect_clean(plain);
      expect_one(strict, "descending code", 1u << 6, {"row 1 group 9", "lane 6 bits 4-7"});
    } else {
      expect_one(plain, "duplicate code", 1u << 6, {"row 1 group 9", "lane 6 bits 4-7"});
      expect_one(strict, "duplicate code", 1u << 6, {"row 1 group 9"});
    }
  }
}

TEST(MetadataCodes, EveryNibbleOfAWord) {
  for (int nibble = 0; nibble < 8; ++nibble) {
    Words w = filled(0x44444444);
    w[20] &= ~(0xFu << 4 * nibble);
    expect_one(run(sparse("mma.sp", "m16n8k64.row.col.s32.s8.s8.s32", 4, 4, 0), w), "duplicate code",
               1u << 20, {fmt::format("lane 20 bits {}-{}", 4 * nibble, 4 * nibble + 3)});
  }
}

TEST(MetadataCodes, OneOfTwo) {
  const std::string types = "m16n8k16.row.col.f32.tf32.tf32.f32";
  for (int code = 0; code < 16; ++code) {
    SCOPED_TRACE(code);
    Words w = filled(0);  // lanes of selector 1 stay invalid
    for (std::size_t l = 0; l < 32; ++l)
      if (l % 4 < 2) w[l] = 0x4E4E4E4E;
    w[4] = (w[4] & ~0xFu) | std::uint32_t(code);
    const Checked checked = run(sparse("mma.sp", types, 4, 4, 0), w);
    if (code == 0x4 || code == 0xE)
      expect_clean(checked);
    else
      expect_one(checked, "mixed code", 1u << 4, {"row 1 group 0"});
  }
}

TEST(MetadataCodes, BothKindsAndTheirCounts) {
  Words w = filled(0x44444444);
  w[0] = 0x44441144;  // lane 0: two descending
  w[1] = 0x44444405;  // lane 1: two duplicate
  for (std::size_t l = 0; l < 32; ++l)
    if (l % 4 >= 2) w[l] = 0;
  const Checked checked = run(f16_k32(0, ordered), w);
  ASSERT_EQ(checked.findings.size(), 2u) << text(checked);
  EXPECT_EQ(checked.findings[0].error, "descending code");
  EXPECT_EQ(checked.findings[0].lanes, 1u);
  EXPECT_EQ(checked.findings[1].error, "duplicate code");
  EXPECT_EQ(checked.findings[1].lanes, 2u);
  expect_words(checked.findings[1].detail, {"2 such codes"});
}

TEST(MetadataCodes, LanesThatTheSelectorDoesNotRead) {
  // Selector s of k16 reads lanes 4g + s only: what the others hold does not matter.
  for (int selector = 0; selector < 4; ++selector)
    for (const std::uint32_t other : {0u, 0x12345678u, 0xFFFFFFFFu}) {
      Words w = filled(other);
      for (std::size_t g = 0; g < 8; ++g) w[4 * g + std::size_t(selector)] = 0x9C4E84DE;
      expect_clean(run(f16_k16(selector), w));
    }
}

TEST(MetadataCodes, OfAnotherSelector) {
  Words w = filled(0);
  for (std::size_t g = 0; g < 8; ++g) w[4 * g + 2] = 0x9C4E84DE;
  expect_one(run(f16_k16(1), w), "metadata in lanes of another selector", 0x22222222,
             {"suspicious", "selector 1", "lanes 1 5 9 13 17 21 25 29 that selector 1",
              "lanes 2 6 10 14 18 22 26 30 of selector 2"});
  // Descending codes there are legal for plain mma.sp, but not for ordered: then it is only invalid.
  for (std::size_t g = 0; g < 8; ++g) w[4 * g + 2] = 0x11111111;
  EXPECT_EQ(run(f16_k16(1), w).findings.at(0).error, "metadata in lanes of another selector");
  const std::string types = "m16n8k16.row.col.f32.f16.f16.f32";
  expect_one(run(sparse(ordered, types, 2, 2, 1), w), "duplicate code", 0x22222222);
  // Half of the other selector's lanes is not enough.
  w[2] = 0;
  expect_one(run(f16_k16(1), w), "duplicate code", 0x22222222);
}

// Accumulators

constexpr std::uint32_t one = 0x3F800000, infinity = 0x7F800000, nan = 0x7FC00000;  // f32

/// D = A B + C with all elements of each operand the same register; D and C may be f32, f16x2 or s32.
std::string dense(const std::string& types, int registers_a, int registers_b, int registers_c,
                  const std::string& a, const std::string& b, const std::string& c) {
  const auto list = [](int n, const std::string& r) {
    std::string out = "{" + r;
    for (int k = 1; k < n; ++k) out += ", " + r;
    return out + "}";
  };
  const std::string d = registers_c == 2 ? "{%r31, %r32}" : "{%r31, %r32, %r33, %r34}";
  return "mma.sync.aligned." + types + " " + d + ", " + list(registers_a, a) + ", " + list(registers_b, b) +
         ", " + list(registers_c, c) + ";\n";
}
std::string hex(std::uint32_t word) {
  return fmt::format("{:#x}", word);
}
std::string set(const std::string& r, std::uint32_t word) {
  return "mov.b32 " + r + ", " + hex(word) + ";\n";
}
std::string s8_of_ones(const std::string& modifier = "") {
  return dense("m16n8k32.row.col" + modifier + ".s32.s8.s8.s32", 4, 2, 4, "%r21", "%r21", "%r20");
}

TEST(Accumulators, S32AtItsEdges) {
  // 32 products of 1 and 1.
  const std::string ones = set("%r21", 0x01010101) + s8_of_ones();
  expect_clean(run(ones, filled(0x7FFFFFFF - 32)));
  expect_one(run(ones, filled(0x7FFFFFFF - 31)), "s32 accumulator overflows", ~0u,
             {"row 0 column 0", "2147483616 + 32 is 2147483648", "wraps to -2147483648"});
  const std::string minus = set("%r21", 0x01010101) + set("%r22", 0xFFFFFFFF) +
                            dense("m16n8k32.row.col.s32.s8.s8.s32", 4, 2, 4, "%r21", "%r22", "%r20");
  expect_clean(run(minus, filled(0x80000000 + 32)));
  expect_one(run(minus, filled(0x80000000 + 31)), "s32 accumulator overflows", ~0u,
             {"-2147483617 + -32 is -2147483649", "wraps to 2147483647"});
}

TEST(Accumulators, S32NamesItsElement) {
  Words c = filled(0);
  c[14] = 0x7FFFFFFF;  // g = 3, t = 2: its first element is row 3, column 4
  c[15] = 0xFFFFFFFB;  // -5 + 32 changes its sign and is right
  expect_one(run(set("%r21", 0x01010101) + s8_of_ones(), c), "s32 accumulator overflows", 1u << 14,
             {"row 3 column 4", "element 0 of lane 14"});
}

TEST(Accumulators, SatfiniteClampsOnPurpose) {
  expect_clean(run(set("%r21", 0x01010101) + s8_of_ones(".satfinite"), filled(0x7FFFFFFF)));
}

TEST(Accumulators, TheResultMayTakeTheOperandsPlace) {
  const std::string in_place =
      set("%r21", 0x01010101) +
      "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%r20, %r1, %r2, %r3}, {%r21, %r21, %r21, %r21}, "
      "{%r21, %r21}, {%r20, %r10, %r10, %r10};\n";
  expect_one(run(in_place, filled(0x7FFFFFFF)), "s32 accumulator overflows", ~0u);
  expect_clean(run(in_place, filled(5)));
}

TEST(Accumulators, S32OfFewBits) {
  // 256 bits of ones; 64 products of 15 and 15.
  const std::string b1 =
      set("%r21", ~0u) + dense("m16n8k256.row.col.s32.b1.b1.s32.and.popc", 4, 2, 4, "%r21", "%r21", "%r20");
  expect_clean(run(b1, filled(0x7FFFFFFF - 256)));
  expect_one(run(b1, filled(0x7FFFFFFF - 255)), "s32 accumulator overflows", ~0u, {"+ 256 is 2147483648"});
  const std::string u4 =
      set("%r21", ~0u) + dense("m16n8k64.row.col.s32.u4.u4.s32", 4, 2, 4, "%r21", "%r21", "%r20");
  expect_clean(run(u4, filled(0x7FFFFFFF - 64 * 225)));
  expect_one(run(u4, filled(0x7FFFFFFF - 64 * 225 + 1)), "s32 accumulator overflows", ~0u);
}

std::string f16_f32(const std::string& a, const std::string& b, const std::string& c) {
  return dense("m16n8k16.row.col.f32.f16.f16.f32", 4, 2, 4, a, b, c);
}
std::string f16_f16(const std::string& a, const std::string& b, const std::string& c) {
  return dense("m16n8k16.row.col.f16.f16.f16.f16", 4, 2, 2, a, b, c);
}
constexpr std::uint32_t halves(std::uint32_t h) {
  return h | h << 16;
}

TEST(Accumulators, F16) {
  // 16 products of 32 and 32 are 16384; 65504 is the largest.
  const std::string products = set("%r21", halves(0x5000)) + f16_f16("%r21", "%r21", "%r20");
  expect_clean(run(products, filled(halves(0x7800))));                                 // 32768
  expect_one(run(products, filled(halves(0x7A00))), "f16 accumulator overflows", ~0u,  // 49152
             {"row 0 column 0", "0x7c00", "finite"});
  expect_clean(run(products, filled(halves(0x7C00))));  // was infinite
  expect_clean(run(products, filled(halves(0x7E00))));  // was NaN
  // Only the high half of lane 9: row 2, column 3.
  Words c = filled(0);
  c[9] = 0x7A000000;
  expect_one(run(products, c), "f16 accumulator overflows", 1u << 9, {"row 2 column 3"});
  c[9] = 0x7A00;
  expect_one(run(products, c), "f16 accumulator overflows", 1u << 9, {"row 2 column 2"});
}

TEST(Accumulators, F32) {
  // 2^30 16 is 2^34; the largest f32 is just below 2^128.
  const std::string products = set("%r21", halves(0x7800)) + f16_f32("%r21", "%r21", "%r20");
  expect_clean(run(products, filled(one)));
  const std::string bf16 = dense("m16n8k16.row.col.f32.bf16.bf16.f32", 4, 2, 4, "%r21", "%r21", "%r20");
  expect_one(run(set("%r21", halves(0x7F00)) + bf16), "f32 accumulator overflows", ~0u, {"0x7f800000"});
  expect_clean(run(set("%r21", halves(0x7F80)) + bf16));  // infinities
}

TEST(Accumulators, NanOfNoNan) {
  const std::string infinite_a = set("%r21", halves(0x7C00));
  expect_one(run(infinite_a + set("%r22", 0) + f16_f32("%r21", "%r22", "%r20")),
             "NaN from operands without NaN", ~0u, {"0 * infinity"});
  expect_one(
      run(infinite_a + set("%r22", halves(0x3C00)) + f16_f32("%r21", "%r22", "%r20"), filled(0xFF800000)),
      "NaN from operands without NaN", ~0u, {"infinities of both signs"});
  expect_clean(
      run(infinite_a + set("%r22", halves(0x3C00)) + f16_f32("%r21", "%r22", "%r20"), filled(infinity)));
  expect_clean(run(infinite_a + set("%r22", 0) + f16_f32("%r21", "%r22", "%r20"), filled(nan)));
  expect_clean(run(set("%r21", halves(0x7E00)) + set("%r22", 0) + f16_f32("%r21", "%r22", "%r20")));
}

TEST(Accumulators, F64) {
  const std::string products =
      "mov.b64 %d7, 0x7FEFFFFFFFFFFFFF; mov.b64 %d8, 0x4000000000000000; mov.b64 %d9, 0;\n"
      "mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%d10, %d11}, {%d7}, {";
  expect_one(run(products + "%d8}, {%d9, %d9};\n"), "f64 accumulator overflows", ~0u, {"0x7ff0000000000000"});
  expect_clean(run(products + "%d9}, {%d9, %d9};\n"));
}

TEST(Accumulators, RowsOfBThatTheMetadataLeavesOut) {
  // Codes 0x4 keep columns 0 and 1 of each four. Rows 2 and 3 of B are infinite, rows 0 and 1 finite:
  // lanes t of %r21 hold rows 2t, 2t + 1 (and + 8), so odd lanes hold those left out.
  const std::string setup =
      "and.b32 %r1, %r0, 1; setp.eq.u32 %p0, %r1, 0; selp.b32 %r21, 0x50005000, 0x7C007C00, %p0;\n" +
      set("%r22", halves(0x5000)) + set("%r23", 0x44444444);
  const auto with_c = [&](std::uint32_t c) {
    return setup + set("%r24", halves(c)) +
           "mma.sp.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {%r31, %r32}, {%r22, %r22}, {%r21, %r21}, "
           "{%r24, %r24}, %r23, 0;\n";
  };
  expect_clean(run(with_c(0x7800)));  // 8 products of 1024 more: 40960
  expect_one(run(with_c(0x7BFF)), "f16 accumulator overflows", ~0u, {"finite"});
  // And where the metadata does take them, the result was infinite before.
  const std::string all = "mov.b32 %r23, 0xEEEEEEEE;\n";
  expect_clean(
      run(setup + all + set("%r24", 0) +
          "mma.sp.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {%r31, %r32}, {%r22, %r22}, {%r21, %r21}, "
          "{%r24, %r24}, %r23, 0;\n"));
}

// The rule for wraps against sums of 64 bits made element by element.
TEST(Accumulators, EveryWrapAndNoOther) {
  std::mt19937_64 random(7);
  for (const char* name : {"m16n8k32.s32.s8.u8.s32", "m16n8k32.s32.u8.u8.s32", "m8n8k16.s32.s8.s8.s32"}) {
    const isa::Instruction& i = isa::find_instruction(name);
    const auto value = [](std::uint64_t word, isa::ElementType t) {
      return t == isa::ElementType::s8 ? std::int64_t(std::int8_t(word)) : std::int64_t(word);
    };
    std::uint32_t seen = 0;
    for (int trial = 0; trial < 200; ++trial) {
      MmaOperands x;
      for (Fragment* f : {&x.a, &x.b, &x.c})
        for (auto& r : f->word)
          for (auto& w : r) w = std::uint32_t(random());
      for (auto& r : x.c.word)  // near the ends of s32
        for (auto& w : r) w = (random() & 1 ? 0x80000000u : 0x7FFFFFFFu) ^ std::uint32_t(random() & 0x3FFFF);
      std::array<std::array<std::int64_t, 32>, 16> a{};
      std::array<std::array<std::int64_t, 8>, 32> b{};
      for (int l = 0; l < 32; ++l) {
        for (int e = 0; e < isa::elements_per_lane(i, isa::Operand::a); ++e) {
          const auto at = isa::coordinate(i, isa::Operand::a, l, e);
          a[std::size_t(at.row)][std::size_t(at.col)] = value(element_word(x.a, l, e, 8), i.a);
        }
        for (int e = 0; e < isa::elements_per_lane(i, isa::Operand::b); ++e) {
          const auto at = isa::coordinate(i, isa::Operand::b, l, e);
          b[std::size_t(at.row)][std::size_t(at.col)] = value(element_word(x.b, l, e, 8), i.b);
        }
      }
      std::uint32_t lanes = 0;
      for (int l = 0; l < 32; ++l)
        for (int e = 0; e < isa::elements_per_lane(i, isa::Operand::c); ++e) {
          const auto at = isa::coordinate(i, isa::Operand::c, l, e);
          std::int64_t sum = std::int32_t(element_word(x.c, l, e, 32));
          for (std::size_t k = 0; k < std::size_t(i.shape.k); ++k)
            sum += a[std::size_t(at.row)][k] * b[k][std::size_t(at.col)];
          if (sum != std::int32_t(sum)) lanes |= 1u << l;
        }
      EXPECT_EQ(integer_overflow(i, x.c, execute(i, x)).lanes, lanes) << name;
      seen |= lanes;
    }
    EXPECT_EQ(seen, ~0u);
  }
}

TEST(Accumulators, WmmaToo) {
  const std::string list8 = "{%r21, %r21, %r21, %r21, %r21, %r21, %r21, %r21}";
  const auto product = [&](const std::string& c) {
    return "wmma.mma.sync.aligned.row.col.m16n16k16.f16.f16 {%r31, %r32, %r33, %r34}, " + list8 + ", " +
           list8 + ", {" + c + ", " + c + ", " + c + ", " + c + "};\n";
  };
  expect_one(run(set("%r21", halves(0x5000)) + product("%r20"), filled(halves(0x7A00))),
             "f16 accumulator overflows", ~0u);
  expect_clean(run(set("%r21", halves(0x5000)) + product("%r20"), filled(halves(0x7800))));
  const std::string s8 =
      "wmma.mma.sync.aligned.row.col.m16n16k16.s32.s8.s8.s32 {%r31, %r32, %r33, %r34, %r35, %r36, %r37, "
      "%r38}, "
      "{%r21, %r21}, {%r21, %r21}, {%r20, %r20, %r20, %r20, %r20, %r20, %r20, %r20};\n";
  expect_one(run(set("%r21", 0x01010101) + s8, filled(0x7FFFFFFF - 15)), "s32 accumulator overflows", ~0u,
             {"+ 16 is 2147483648"});
  expect_clean(run(set("%r21", 0x01010101) + s8, filled(0x7FFFFFFF - 16)));
}

}  // namespace
}  // namespace twofour::emu::check::test
