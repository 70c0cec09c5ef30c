// All words and all pairs, where there are few enough of them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "oracle.h"
#include "pair_sweep.h"
#include "parallel.h"
#include "twofour/emu/numerics/block.h"

namespace twofour::emu {
namespace {

using isa::ElementType;
using enum isa::Architecture;
constexpr isa::Architecture architectures[] = {volta, turing, ampere, ada, hopper, blackwell};

// The formula of the sweeps, on pairs of every exponent.
TEST(Exhaustive, ThePairFormulaEqualsTheOracle) {
  for (const auto architecture : architectures)
    for (const auto accumulator : {ElementType::f16, ElementType::f32}) {
      const oracle::PairFormula formula(architecture, accumulator);
      const auto p = oracle::parameters(architecture, "f16", isa::name(accumulator)).value();
      auto sums = oracle::sweep_accumulators(accumulator);
      for (const auto& named : oracle::boundary_words(accumulator)) sums.push_back(std::uint32_t(named.word));
      const auto check = [&](int chunk) -> std::string {
        std::mt19937 random{unsigned(chunk)};
        for (int trial = 0; trial < 10000 / case_stride; ++trial) {
          const std::uint64_t a = random() & 0xffff, b = random() & 0xffff;
          const std::uint32_t c = sums[random() % sums.size()];
          const auto want = oracle::block(oracle::f16, oracle::f16, p, {&a, 1}, {&b, 1}, c);
          const auto got = formula(std::uint32_t(a), std::uint32_t(b), c);
          if (got != want)
            return fmt::format("{:#x} * {:#x} + {:#x} gives {:#x}, the oracle {:#x}", a, b, c, got, want);
        }
        return "";
      };
      EXPECT_EQ(first_complaint(8, check), "") << isa::name(architecture) << " " << isa::name(accumulator);
    }
}

// One pair in 256 of all 2^32, others for each accumulator: every a meets 256 b, and every b 256 a, for each.
// exhaustive_pairs sweeps them all.
TEST(Exhaustive, ASliceOfAllPairsOfHalves) {
  for (const auto accumulator : {ElementType::f16, ElementType::f32}) {
    std::uint32_t phase = 0;
    for (const auto c : oracle::sweep_accumulators(accumulator))
      EXPECT_EQ(oracle::sweep({ampere, accumulator, c, 256 * case_stride, 37 * ++phase % 256}), "");
  }
}

// Every word of a 16-bit type as a and as b, times every boundary word.
TEST(Exhaustive, EveryWordTimesBoundaryWords) {
  const auto check_word = [](ElementType input, ElementType accumulator, std::uint32_t word) -> std::string {
    static const auto edges = std::map<ElementType, std::vector<oracle::NamedWord>>{
        {ElementType::f16, oracle::boundary_words(ElementType::f16)},
        {ElementType::bf16, oracle::boundary_words(ElementType::bf16)}};
    const auto p = oracle::parameters(ampere, isa::name(input), isa::name(accumulator)).value();
    const auto f = oracle::format(isa::name(input));
    const auto& rule = isa::block_rule(ampere, input, accumulator);
    for (const auto& edge : edges.at(input)) {
      const std::uint32_t x[] = {word, std::uint32_t(edge.word)}, y[] = {x[1], x[0]};
      const std::uint64_t a[] = {x[0], x[1]}, b[] = {y[0], y[1]};
      const std::uint32_t c = accumulator == ElementType::f16 ? 0x9401 : 0xb2000001;
      const auto got = block_dot({input, input, accumulator}, rule, x, y, c);
      const auto want = oracle::block(f, f, p, a, b, c);
      if (got != want)
        return fmt::format("{:#x} * {}, and the other way round: {:#x}, not {:#x}", word, edge.name, got,
                           want);
    }
    return "";
  };
  const auto check_all = [&](ElementType input, ElementType accumulator) {
    return first_complaint((1 << 16) / case_stride,
                           [&](int n) { return check_word(input, accumulator, unsigned(n * case_stride)); });
  };
  EXPECT_EQ(check_all(ElementType::f16, ElementType::f16), "");
  EXPECT_EQ(check_all(ElementType::f16, ElementType::f32), "");
  EXPECT_EQ(check_all(ElementType::bf16, ElementType::f32), "");
}

TEST(Exhaustive, EveryWordDecodesAndEncodesBack) {
  for (const auto type : {ElementType::f16, ElementType::bf16}) {
    const FloatFormat f = float_format(type);
    const auto format = oracle::format(isa::name(type));
    for (std::uint32_t word = 0; word < 65536; ++word) {
      const auto want = oracle::decode(format, word);
      ASSERT_EQ(f.is_nan(word), want.kind == oracle::Kind::nan) << word;
      ASSERT_EQ(f.is_infinite(word), want.kind == oracle::Kind::infinite) << word;
      if (want.kind != oracle::Kind::finite) continue;
      const Decoded got = decode(f, word);
      ASSERT_EQ(got.negative, want.negative) << word;
      ASSERT_EQ(got.exponent, want.exponent) << word;
      ASSERT_EQ(got.significand, mpz_class(abs(want.value.integer)).get_ui()) << word;
      for (const auto rounding : {isa::Rounding::toward_zero, isa::Rounding::nearest_even}) {
        const auto back = encode(f, rounding, got.negative, got.significand, got.exponent - f.fraction_bits);
        ASSERT_EQ(back, got.significand == 0 ? 0 : word);
      }
    }
  }
}

// Between each word and the next: the midpoint, and what lies just beside it, at every distance that 64 bits
// hold.
TEST(Exhaustive, EveryMidpointRoundsAsTheOracle) {
  for (const auto type : {ElementType::f16, ElementType::bf16}) {
    const FloatFormat f = float_format(type);
    const auto format = oracle::format(isa::name(type));
    for (std::uint32_t word = 0; word < f.infinity(); word += case_stride) {
      const Decoded d = decode(f, word);
      for (const int below : {1, 2, 14, 50})  // bits below the last place
        for (const int beside : {-1, 0, 1}) {
          const std::uint64_t magnitude = (std::uint64_t(d.significand) << below) +
                                          (std::uint64_t(1) << (below - 1)) + std::uint64_t(beside);
          const int lsb = d.exponent - f.fraction_bits - below;
          const mpz_class exact(static_cast<unsigned long>(magnitude));
          for (const auto& [rounding, direction] :
               {std::pair{isa::Rounding::toward_zero, oracle::Direction::toward_zero},
                {isa::Rounding::nearest_even, oracle::Direction::nearest_even}})
            for (const bool negative : {false, true})
              ASSERT_EQ(encode(f, rounding, negative, magnitude, lsb),
                        oracle::round(format, {negative ? mpz_class(-exact) : exact, lsb}, direction,
                                      oracle::Overflow::infinity))
                  << isa::name(type) << " " << word << " and " << beside << " beside its midpoint";
        }
    }
  }
}

}  // namespace
}  // namespace twofour::emu
