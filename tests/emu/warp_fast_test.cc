// The path from registers to registers against the scalar definition, on every row and architecture. ctest
// runs it on every SIMD level.
#include <gtest/gtest.h>

#include "twofour/emu/warp/fast_mma.h"
#include "twofour/emu/warp/scalar_mma.h"
#include "twofour/isa/error.h"
#include "warp_helpers.h"

namespace twofour::emu {
namespace {

using namespace warp_test;
using isa::Architecture;
using isa::Operand;

/// Random words of a kind: of all classes, with NaN and infinities, or finite with exponents close together.
enum class Kind { any, specials, close };

/// A float within 2^-8 .. 2^8, at times a zero.
std::uint32_t close_word(ElementType type, std::mt19937& random) {
  if (random() % 16 == 0) return 0;
  const int width = isa::bits(type), fraction = type == ElementType::f16    ? 10
                                                : type == ElementType::bf16 ? 7
                                                                            : 23;
  const std::uint32_t bias = type == ElementType::f16 ? 15 : 127;
  const auto field = std::uint32_t(bias - 8 + random() % 16), sign = std::uint32_t(random() % 2);
  return sign << (width - 1) | field << fraction | (std::uint32_t(random()) & ((1u << fraction) - 1));
}

Fragment fragment(ElementType type, int registers, Kind kind, std::mt19937& random) {
  const bool close =
      kind == Kind::close && isa::is_float(type) && isa::bits(type) >= 16 && type != ElementType::f64;
  if (!close && type != ElementType::f64 && isa::bits(type) >= 4 && type != ElementType::e4m3 &&
      type != ElementType::e5m2)
    return random_fragment(type, registers, random, kind == Kind::specials);
  Fragment f;
  const int width = isa::bits(type);
  for (int r = 0; r < registers; ++r)
    for (auto& word : f.word[std::size_t(r)])
      word = !close        ? std::uint32_t(random())
             : width == 32 ? close_word(type, random)
                           : close_word(type, random) | close_word(type, random) << 16;
  return f;
}

MmaOperands random_operands(const isa::Instruction& i, Kind kind, Kind c_kind, std::mt19937& random) {
  MmaOperands x;
  x.a = fragment(i.a, isa::registers(i, Operand::a), kind, random);
  x.b = fragment(i.b, isa::registers(i, Operand::b), kind, random);
  x.c = fragment(i.c, isa::registers(i, Operand::c), c_kind, random);
  for (auto& word : x.metadata) word = std::uint32_t(random());  // codes that PTX leaves undefined, too
  if (i.is_sparse()) x.selector = int(random() % unsigned(i.selectors()));
  return x;
}

bool has_rule(const isa::Instruction& i, Architecture architecture) {
  try {
    NumericOptions options;
    options.architecture = architecture;
    execute(i, {}, options);
    return true;
  } catch (const Error&) {
    return false;
  }
}

TEST(WarpFast, EqualsTheDefinitionOnEveryRowAndArchitecture) {
  std::mt19937 random(21);
  int rows = 0;
  for (const auto& i : isa::instructions()) {
    if (!i.multiplies()) continue;
    for (const auto architecture : {Architecture::volta, Architecture::turing, Architecture::ampere,
                                    Architecture::ada, Architecture::hopper}) {
      if (!has_rule(i, architecture)) continue;
      if (!isa::is_float(i.a) && architecture != Architecture::ampere) continue;
      ++rows;
      NumericOptions options;
      options.architecture = architecture;
      for (const Kind kind : {Kind::any, Kind::specials, Kind::close, Kind::close})
        for (const Kind c_kind : {Kind::any, Kind::specials, Kind::close}) {
          const MmaOperands x = random_operands(i, kind, c_kind, random);
          ASSERT_EQ(execute(i, x, options), execute_by_definition(i, x, options))
              << isa::ptx_name(i) << " on " << isa::name(architecture);
        }
    }
  }
  EXPECT_GT(rows, 500);
}

// Otherwise the test above would compare the definition with itself.
TEST(WarpFast, TakesOrdinaryOperands) {
  std::mt19937 random(22);
  for (const auto& i : isa::instructions()) {
    if (!i.is_tensor_core() || i.a == ElementType::f64 || isa::requirement(i).sm > 80) continue;
    Fragment d;
    EXPECT_TRUE(fast_mma(i, random_operands(i, Kind::close, Kind::specials, random), {}, d))
        << isa::short_name(i);
  }
}

/// Operands on which sums cancel, tie, overflow or sink among subnormals: powers of two of either sign.
MmaOperands powers(const isa::Instruction& i, int c_low, int c_high, std::mt19937& random) {
  const auto word = [&](ElementType type, int low, int high) {
    const float value =
        std::ldexp(random() % 2 ? 1.0f : -1.0f, low + int(random() % unsigned(high - low + 1)));
    const float next = std::nextafter(value, random() % 3 == 0 ? 0.0f : value);
    if (type == ElementType::f16) return nearest_half(value);
    return type == ElementType::bf16 ? float_word(value) >> 16 : float_word(next);
  };
  const auto fill = [&](Fragment& f, ElementType type, int low, int high) {
    for (auto& r : f.word)
      for (auto& w : r)
        w = isa::bits(type) == 16 ? word(type, low, high) | word(type, low, high) << 16
                                  : word(type, low, high);
  };
  MmaOperands x;
  const int reach = i.a == ElementType::f16 ? 14 : 30;
  fill(x.a, i.a, -reach, reach);
  fill(x.b, i.b, -reach, reach);
  fill(x.c, i.c, c_low, c_high);
  for (auto& w : x.metadata) w = std::uint32_t(random());
  return x;
}

TEST(WarpFast, EqualsTheDefinitionWherePowersOfTwoMeet) {
  std::mt19937 random(23);
  for (const auto& i : isa::instructions()) {
    if (!i.is_tensor_core() || !isa::is_float(i.a) || isa::bits(i.a) < 16 || i.a == ElementType::f64)
      continue;
    const bool half = i.d == ElementType::f16;
    for (const auto& [low, high] :
         {std::pair{-10, 10}, {half ? -24 : -149, half ? -14 : -120}, {half ? 10 : 100, half ? 16 : 127}})
      for (int trial = 0; trial < 10; ++trial) {
        const MmaOperands x = powers(i, low, high, random);
        ASSERT_EQ(execute(i, x), execute_by_definition(i, x)) << isa::short_name(i) << " " << low;
      }
  }
}

TEST(WarpFast, EveryF16WordAsAElement) {
  const auto& f32 = isa::find_instruction("m16n8k16.f32.f16.f16.f32");
  const auto& f16 = isa::find_instruction("m16n8k16.f16.f16.f16.f16");
  std::mt19937 random(24);
  for (std::uint32_t word = 0; word < 0x10000; word += 256) {
    if ((word & 0x7c00) == 0x7c00) continue;
    MmaOperands x;
    for (std::uint32_t n = 0; n < 128; ++n)
      x.a.word[n / 32][n % 32] = (word + 2 * n) | (word + 2 * n + 1) << 16;
    for (auto& r : x.b.word)
      for (auto& w : r) w = close_word(ElementType::f16, random) | close_word(ElementType::f16, random) << 16;
    x.c = fragment(ElementType::f16, 2, Kind::any, random);
    ASSERT_EQ(execute(f16, x), execute_by_definition(f16, x)) << word;
    x.c = fragment(ElementType::f32, 4, Kind::any, random);
    ASSERT_EQ(execute(f32, x), execute_by_definition(f32, x)) << word;
  }
}

}  // namespace
}  // namespace twofour::emu
