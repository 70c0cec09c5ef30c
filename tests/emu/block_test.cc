#include "twofour/emu/numerics/block.h"

#include <gtest/gtest.h>

#include "twofour/emu/numerics/dot.h"
#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

using isa::ElementType;
using Words = std::vector<std::uint64_t>;

std::uint64_t run(const char* name, Words a, Words b, std::uint64_t c, NumericOptions options = {}) {
  const auto& i = isa::find_instruction(name);
  a.resize(std::size_t(i.shape.k));
  b.resize(std::size_t(i.shape.k));
  return dot(i, a, b, c, options);
}

constexpr const char* half = "m16n8k8.f32.f16.f16.f32";
constexpr const char* bfloat = "m16n8k8.f32.bf16.bf16.f32";

// Published behaviour, written as words.
TEST(Block, ZeroSumsArePositive) {
  EXPECT_EQ(run(half, {0x8000}, {0x3c00}, 0x80000000), 0u);
  EXPECT_EQ(run(half, {0x3c00}, {0xbc00}, 0x3f800000), 0u);
}

TEST(Block, SpecialsGiveTheCanonicalNan) {
  EXPECT_EQ(run(half, {0x7e01}, {0}, 0), 0x7fffffffu);
  EXPECT_EQ(run(half, {0x7c00}, {0}, 0), 0x7fffffffu);
  EXPECT_EQ(run(half, {0x7c00, 0xfc00}, {0x3c00, 0x3c00}, 0), 0x7fffffffu);
  EXPECT_EQ(run(half, {0xfc00}, {0x3c00}, 0x3f800000), 0xff800000u);
  EXPECT_EQ(run("m16n8k8.f16.f16.f16.f16", {0x7c00}, {0}, 0), 0x7fffu);
}

TEST(Block, ProductsAreTruncatedNotRounded) {
  // 1 + 3 * 2^-25: two units below the window's last place are dropped one by one.
  const std::uint64_t tiny = 0x0c00;                              // 2^-12 in f16
  EXPECT_EQ(run(half, {tiny}, {tiny}, 0x3f800000), 0x3f800000u);  // 1 + 2^-24 truncates to 1
  EXPECT_EQ(run(half, {0x3c00, tiny, tiny}, {0x3c00, tiny, tiny}, 0),
            0x3f800001u);  // both stay in the window
}

TEST(Block, TruncatedTf32OperandsDropThirteenBits) {
  const char* tf32 = "m16n8k4.f32.tf32.tf32.f32";
  EXPECT_EQ(run(tf32, {0x3f801fff}, {0x3f800000}, 0), 0x3f800000u);
  EXPECT_EQ(run(tf32, {0x7f800001}, {0x3f800000}, 0), 0x7f800000u);  // a NaN whose payload is only there
}

TEST(Block, OverflowIsInfinityAndSubnormalsAreKept) {
  EXPECT_EQ(run(bfloat, {0x7f00}, {0x4080}, 0), 0x7f800000u);
  EXPECT_EQ(run(bfloat, {0x0080}, {0x3f00}, 0), 0x00400000u);
  EXPECT_EQ(run("m16n8k8.f16.f16.f16.f16", {0x7bff}, {0x4000}, 0), 0x7c00u);
}

// Among zeros the window's last place is 2^(E0 - 24). These sums change if E0 moves by one either way.
TEST(Block, TheZeroExponentPlacesTheWindow) {
  const std::uint64_t p76 = 0x1980, p80 = 0x1780;  // bf16 2^-76, 2^-80
  // 63 * 2^-156 twice and 2^-155: 2^-149, the smallest subnormal, if 2^-156 is kept.
  const std::uint64_t x = p80 + (5 << 7) + 0x7c;  // 63 * 2^-80
  EXPECT_EQ(run(bfloat, {x, x, p80 + (1 << 7)}, {p76, p76, p76}, 0), 1u);
  // 127 * 2^-157 twice and 2^-156: one unit short of it, since 2^-157 is dropped.
  const std::uint64_t y = p80 + (5 << 7) + 0x7e;  // 127 * 2^-81
  EXPECT_EQ(run(bfloat, {y, y, p80}, {p76, p76, p76}, 0), 0u);
  // f16 accumulator: 2^-25 is a tie below the smallest subnormal; 2^-45 breaks it, 2^-46 is dropped.
  const char* half_sum = "m16n8k8.f16.f16.f16.f16";
  const std::uint64_t p12 = 0x0c00, p13 = 0x0800, p22 = 0x0004, p23 = 0x0002;
  EXPECT_EQ(run(half_sum, {p12, p22}, {p13, p23}, 0), 1u);
  EXPECT_EQ(run(half_sum, {p12, p23}, {p13, p23}, 0), 0u);
}

TEST(Dot, DoublesAreAChainOfFusedMultiplyAdds) {
  const char* f64 = "m8n8k4.f64.f64.f64.f64";
  const std::uint64_t one = 0x3ff0000000000000, above = 0x3ff0000000000001, minus = 0xbff0000000000002;
  // fma keeps the 2^-104 of (1 + 2^-52)^2 that a separate product would round away.
  EXPECT_EQ(run(f64, {above}, {above}, minus), 0x3970000000000000u);
  EXPECT_EQ(run(f64, {one, one, one, one}, {one, one, one, one}, 0), 0x4010000000000000u);
}

TEST(Dot, IntegersWrapOrClamp) {
  const char* s8 = "m16n8k32.s32.s8.s8.s32";
  NumericOptions clamp;
  clamp.satfinite = true;
  EXPECT_EQ(run(s8, {127}, {127}, 0x7fffffff), 0x80003f00u);
  EXPECT_EQ(run(s8, {127}, {127}, 0x7fffffff, clamp), 0x7fffffffu);
  EXPECT_EQ(run(s8, {0x80}, {127}, 0x80000000, clamp), 0x80000000u);
  EXPECT_EQ(run("m16n8k256.s32.b1.b1.s32.xor", {1, 0, 1}, {1, 1, 0}, 5), 7u);
  EXPECT_EQ(run("m16n8k256.s32.b1.b1.s32.and", {1, 0, 1}, {1, 1, 0}, 5), 6u);
}

TEST(BlockRule, UnknownCombinationsAreRefused) {
  EXPECT_THROW(isa::block_rule(isa::Architecture::volta, ElementType::bf16, ElementType::f32), Error);
  EXPECT_THROW(isa::block_rule(isa::Architecture::ampere, ElementType::bf16, ElementType::f16), Error);
}

}  // namespace
}  // namespace twofour::emu
