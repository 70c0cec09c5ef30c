// Generated cases hold what they say, and can tell rules apart.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "computed.h"
#include "twofour/emu/vectors/generate.h"
#include "twofour/isa/layout.h"

namespace twofour::emu {
namespace {

using isa::Architecture;

/// Operands of a case as rows of element words: a[row][k], b[col][k], c[row][col].
struct Elements {
  std::vector<std::vector<std::uint64_t>> a, b, c;
};

Elements elements(const Case& c) {
  const auto& i = c.instruction;
  const auto unpack = [&](isa::Operand o, const Fragment& f) {
    const isa::Shape size = isa::tile(i, o);
    std::vector<std::vector<std::uint64_t>> out(std::size_t(size.m),
                                                std::vector<std::uint64_t>(std::size_t(size.n)));
    const int width = isa::bits(isa::element(i, o));
    for (int lane = 0; lane < 32; ++lane)
      for (int index = 0; index < isa::elements_per_lane(i, o); ++index) {
        const auto at = isa::coordinate(i, o, lane, index);
        const auto bit = std::size_t(index * width);
        const std::uint32_t word = f.word[bit / 32][std::size_t(lane)] >> (bit % 32);
        out[std::size_t(at.row)][std::size_t(at.col)] = width == 32 ? word : word & ((1u << width) - 1);
      }
    return out;
  };
  Elements e{unpack(isa::Operand::a, c.operands.a), {}, unpack(isa::Operand::c, c.operands.c)};
  const auto b = unpack(isa::Operand::b, c.operands.b);
  for (std::size_t col = 0; col < b[0].size(); ++col) {
    e.b.emplace_back();
    for (const auto& row : b) e.b.back().push_back(row[col]);
  }
  return e;
}

/// Cases 0 to 41 of a theme.
std::vector<Case> of_theme(const std::string& name, const std::string& theme) {
  std::vector<Case> cases;
  for (int n = 0; n < 42; ++n) {
    Case c = generate_case(isa::find_instruction(name), n, {CaseLevel::boundary, 1, false});
    if (c.note.ends_with(": " + theme + "\n")) cases.push_back(c);
  }
  EXPECT_GE(cases.size(), 6u) << theme;
  return cases;
}

double half_value(std::uint64_t word) {
  const int exponent = int(word >> 10 & 31), fraction = int(word & 1023);
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return word >> 15 != 0 ? -magnitude : magnitude;
}

TEST(Boundary, WindowEdgesLieOnBothSidesOfEveryWindow) {
  std::set<int> below;
  for (const Case& c : of_theme("m16n8k8.f32.f16.f16.f32", "window edges")) {
    const Elements e = elements(c);
    for (const auto& row : e.a)
      for (const auto& col : e.b) {
        double greatest = 0;
        for (std::size_t k = 0; k < row.size(); ++k)
          greatest = std::max(greatest, std::abs(half_value(row[k]) * half_value(col[k])));
        for (std::size_t k = 0; k < row.size(); ++k)
          if (const double p = half_value(row[k]) * half_value(col[k]); p != 0)
            below.insert(std::ilogb(greatest) - std::ilogb(p));
      }
  }
  for (int bits = 21; bits <= 27; ++bits) EXPECT_TRUE(below.contains(bits)) << bits;
}

TEST(Boundary, TiesAreHalfwayAndJustBeside) {
  int ties = 0, beside = 0;
  for (const Case& c : of_theme("m16n8k8.f16.f16.f16.f16", "ties")) {
    const Elements e = elements(c);
    for (std::size_t row = 0; row < 16; ++row)
      for (std::size_t col = 0; col < 8; ++col) {
        double sum = half_value(e.c[row][col]);  // exact: all lies within 2^-24 and 2^12
        for (std::size_t k = 0; k < 8; ++k) sum += half_value(e.a[row][k]) * half_value(e.b[col][k]);
        const double units = std::ldexp(sum, 10 - std::ilogb(sum)),
                     rest = std::abs(units - std::trunc(units) - 0.5);
        ties += rest == 0;
        beside += rest != 0 && rest < 0.01;
      }
  }
  EXPECT_GE(ties, 20);
  EXPECT_GE(beside, 20);
}

TEST(Boundary, WordsOfEveryKindOccur) {
  std::set<std::uint64_t> half, accumulators, bytes, low;
  for (const auto theme : {"zeros and subnormals", "NaN and infinity"})
    for (const Case& c : of_theme("m16n8k8.f16.f16.f16.f16", theme))
      for (const auto& row : elements(c).a) half.insert(row.begin(), row.end());
  for (const std::uint64_t word : {0x0000, 0x8000, 0x0001, 0x8001, 0x03ff, 0x0400, 0x7bff, 0x7c00, 0xfc00})
    EXPECT_TRUE(half.contains(word)) << word;
  EXPECT_TRUE(
      std::any_of(half.begin(), half.end(), [](auto w) { return w > 0x7c00 && w < 0x7e00; }));  // signalling
  EXPECT_TRUE(std::any_of(half.begin(), half.end(), [](auto w) { return w >= 0x7e00 && w < 0x8000; }));
  for (const Case& c : of_theme("m16n8k32.s32.s8.u8.s32", "extremes")) {
    const Elements e = elements(c);
    for (const auto& row : e.c) accumulators.insert(row.begin(), row.end());
    for (const auto& row : e.a) bytes.insert(row.begin(), row.end());
  }
  for (const std::uint64_t word : {0x7fffffffu, 0x80000000u, 0u, 1u, 0xffffffffu})
    EXPECT_TRUE(accumulators.contains(word)) << word;
  EXPECT_EQ(bytes, (std::set<std::uint64_t>{0, 1, 0x7f, 0x80, 0xff}));
  for (const Case& c : of_theme("m16n8k8.f32.tf32.tf32.f32", "low 13 bits"))
    for (const auto& row : elements(c).a) low.insert(row.begin(), row.end());
  const auto any_low = [&](std::uint64_t high) {
    return std::any_of(low.begin(), low.end(), [&](auto w) { return (w & ~0x1fffull) == high && w != high; });
  };
  EXPECT_TRUE(any_low(0x7f800000) && any_low(0) && any_low(0x80000000));
}

TEST(Boundary, CancellingProductsLeaveTheAccumulatorOrTakeItAway) {
  for (const auto name : {"m16n8k16.f32.bf16.bf16.f32", "sp.m16n8k32.f32.bf16.bf16.f32"}) {
    int whole = 0, truncated = 0, gone = 0;  // c below the window of the products that cancelled
    for (const Case& c : of_theme(name, "cancellation")) {
      const Fragment d = computed(c, Architecture::ampere);
      for (std::size_t r = 0; r < 4; ++r)
        for (std::size_t lane = 0; lane < 32; ++lane) {
          const std::uint32_t before = c.operands.c.word[r][lane], after = d.word[r][lane];
          whole += before == after;
          truncated += after != 0 && after < before && (after ^ before) >> 23 == 0;
          gone += after == 0 && (before & 0x7fffffff) != 0;
        }
    }
    EXPECT_GE(whole, 50) << name;
    EXPECT_GE(truncated, 50) << name;
    EXPECT_GE(gone, 10) << name;
  }
}

/// Cases of the level, of 12, in which two architectures differ.
int told_apart(const std::string& name, CaseLevel level, Architecture one, Architecture other) {
  int count = 0;
  for (int n = 0; n < 12; ++n) {
    const Case c = generate_case(isa::find_instruction(name), n, {level, 1, false});
    count += computed(c, one) != computed(c, other);
  }
  return count;
}

// In these pairs the architectures differ in the width of the window alone (and in E0 by one, which follows
// it), or in the products of a block too: cases that could not tell them apart would test nothing.
TEST(Generate, BoundaryCasesTellNeighbouringRulesApart) {
  using enum Architecture;
  for (const auto name :
       {"m16n8k8.f32.f16.f16.f32", "m16n8k8.f32.bf16.bf16.f32", "m16n8k4.f32.tf32.tf32.f32",
        "m16n8k16.f32.f16.f16.f32", "sp.m16n8k32.f32.bf16.bf16.f32", "m16n8k8.f16.f16.f16.f16"})
    EXPECT_GE(told_apart(name, CaseLevel::boundary, ampere, hopper), 1) << name;
  EXPECT_GE(told_apart("m16n8k16.f32.f16.f16.f32", CaseLevel::random, ampere, hopper), 1);
}

TEST(Generate, IntegerCasesReachBothEndsOfTheAccumulator) {
  for (const auto name : {"m16n8k32.s32.s8.s8.s32", "m16n8k64.s32.u4.s4.s32", "sp.m16n8k64.s32.s8.u8.s32"}) {
    int wrapping = 0;
    std::set<std::uint32_t> words;
    for (int n = 0; n < 12; ++n) {
      Case c = generate_case(isa::find_instruction(name), n, {CaseLevel::boundary, 1, false});
      c.options.satfinite = true;
      const Fragment clamped = computed(c, Architecture::ampere);
      c.options.satfinite = false;
      wrapping += clamped != computed(c, Architecture::ampere);
      for (const auto& word : clamped.word) words.insert(word.begin(), word.end());
    }
    EXPECT_GE(wrapping, 3) << name;
    EXPECT_TRUE(words.contains(0x7fffffff) && words.contains(0x80000000)) << name;
  }
}

}  // namespace
}  // namespace twofour::emu
