// The scalar definition against the oracle, bit for bit: named boundary words, then random operands by class.
#include <gtest/gtest.h>

#include "oracle.h"
#include "parallel.h"
#include "twofour/emu/numerics/block.h"
#include "twofour/emu/numerics/dot.h"
#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

using isa::ElementType;
using enum isa::Architecture;
constexpr isa::Architecture architectures[] = {volta, turing, ampere, ada, hopper, blackwell};

std::string mismatch(const std::string& where, std::uint64_t got, std::uint64_t want) {
  return fmt::format("{}: {:#x}, the oracle says {:#x}", where, got, want);
}

/// One way to sum floats: an architecture, input and accumulator type.
struct Rule {
  isa::Architecture architecture;
  ElementType input, accumulator;
  std::string name() const {
    return fmt::format("{} {} {}", isa::name(architecture), isa::name(input), isa::name(accumulator));
  }
};

std::vector<Rule> rules() {
  std::vector<Rule> all;
  for (const auto architecture : architectures)
    for (const auto& info : isa::element_table)
      for (const auto accumulator : {ElementType::f16, ElementType::f32})
        if (oracle::parameters(architecture, info.name, isa::name(accumulator)))
          all.push_back({architecture, isa::parse_element(info.name), accumulator});
  return all;
}

TEST(Block, TheOracleKnowsWhatTheTableKnows) {
  for (const auto architecture : architectures)
    for (const auto& info : isa::element_table)
      for (const auto accumulator : {ElementType::f16, ElementType::f32}) {
        const auto type = isa::parse_element(info.name);
        const bool known = oracle::parameters(architecture, info.name, isa::name(accumulator)).has_value();
        if (known)
          EXPECT_NO_THROW(isa::block_rule(architecture, type, accumulator)) << info.name;
        else
          EXPECT_THROW(isa::block_rule(architecture, type, accumulator), Error) << info.name;
      }
}

std::string check_boundaries(const Rule& rule) {
  const auto words = oracle::boundary_words(rule.input), sums = oracle::boundary_words(rule.accumulator);
  const auto p =
      oracle::parameters(rule.architecture, isa::name(rule.input), isa::name(rule.accumulator)).value();
  const auto format = oracle::format(isa::name(rule.input));
  const auto& block_rule = isa::block_rule(rule.architecture, rule.input, rule.accumulator);
  int number = 0;
  for (const auto& x : words)
    for (const auto& y : words)
      for (const auto& z : sums) {
        if (number++ % case_stride != 0) continue;
        const auto a = std::uint32_t(x.word), b = std::uint32_t(y.word), c = std::uint32_t(z.word);
        const auto got =
            block_dot({rule.input, rule.input, rule.accumulator}, block_rule, {&a, 1}, {&b, 1}, c);
        const auto want = oracle::block(format, format, p, {&x.word, 1}, {&y.word, 1}, z.word);
        if (got != want)
          return mismatch(fmt::format("{}: {} * {} + {}", rule.name(), x.name, y.name, z.name), got, want);
      }
  return "";
}

TEST(Block, EveryPairOfBoundaryWordsAndEveryBoundarySum) {
  const auto all = rules();
  EXPECT_GE(all.size(), 20u);
  EXPECT_EQ(first_complaint(int(all.size()), [&](int n) { return check_boundaries(all[std::size_t(n)]); }),
            "");
}

/// Random operands of an instruction by all of its ways to sum.
std::string check_random(const isa::Instruction& i, int trials) {
  std::mt19937 random(unsigned(i.shape.k + 1000 * int(i.a) + 100000 * int(i.d)));
  for (int trial = 0; trial < trials; ++trial) {
    const auto o = oracle::random_operands(i, random);
    for (const auto architecture : architectures) {
      if (!oracle::knows(i, architecture)) continue;
      const NumericOptions options{.architecture = architecture};
      const auto got = dot(i, o.a, o.b, o.c, options);
      const auto want = oracle::dot(i, o.a, o.b, o.c, {.architecture = architecture});
      if (!oracle::same(i.d, got, want))
        return mismatch(fmt::format("{} on {}, trial {}", isa::short_name(i), isa::name(architecture), trial),
                        got, want);
      if (!isa::is_float(i.a) || i.a == ElementType::f64) break;  // the same everywhere
    }
  }
  return "";
}

TEST(Dot, RandomFloatsByClassEqualTheOracle) {
  std::vector<isa::Instruction> rows;
  for (const auto& i : oracle::covered_rows())
    if (isa::is_float(i.a)) rows.push_back(i);
  EXPECT_EQ(first_complaint(int(rows.size()),
                            [&](int n) { return check_random(rows[std::size_t(n)], 30000 / case_stride); }),
            "");
}

// Sums near both ends of the 32-bit range, wrapped and clamped.
TEST(Dot, IntegersAndBitsEqualTheOracle) {
  std::mt19937 random(33);
  const std::uint64_t sums[] = {0, 1, 0xffffffff, 0x7fffffff, 0x80000000, 0x7fffff00, 0x80000100};
  for (const auto& i : oracle::covered_rows()) {
    if (isa::is_float(i.a)) continue;
    const std::uint64_t ones_a = (1u << isa::bits(i.a)) - 1, ones_b = (1u << isa::bits(i.b)) - 1;
    for (int trial = 0; trial < 600; ++trial) {
      auto o = oracle::random_operands(i, random);
      for (std::size_t k = 0; trial % 3 != 0 && k < o.a.size(); ++k) {  // extreme factors
        o.a[k] = trial % 3 == 1 ? ones_a : ones_a / 2 + (isa::is_signed(i.a) ? 1 : 0);
        o.b[k] = trial % 5 == 0 || random() % 8 == 0 ? ones_b : ones_b / 2 + trial % 2;
      }
      o.c = trial % 2 == 0 ? sums[random() % std::size(sums)] : random();
      for (const bool satfinite : {false, true}) {
        if (satfinite && i.a == ElementType::b1) continue;
        const auto got = dot(i, o.a, o.b, o.c, {.satfinite = satfinite});
        ASSERT_EQ(got, oracle::dot(i, o.a, o.b, o.c, {.satfinite = satfinite}))
            << isa::short_name(i) << (satfinite ? " satfinite" : "") << " trial " << trial;
      }
    }
  }
}

}  // namespace
}  // namespace twofour::emu
