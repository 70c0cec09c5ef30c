#include "twofour/emu/kernel/epilogue.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>

#include "kernel_helpers.h"
#include "twofour/emu/kernel/reference_kernel.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

std::uint32_t word(float x) {
  return std::bit_cast<std::uint32_t>(x);
}

/// One sum of one channel through an epilogue.
std::uint64_t one(Epilogue e, ElementType sum_type, std::uint64_t sum, float scale = 1, float bias = 0) {
  PackedMatrix sums(sum_type, 1, 8);
  sums.set_bits(0, 0, sum);
  const std::vector<std::uint32_t> scales(8, word(scale)), biases(8, word(bias));
  return apply_epilogue(e, sums, {scales, biases, nullptr}).bits(0, 0);
}

// Expected values by hand from the rules in epilogue.h.
TEST(Epilogue, RoundsToTheNearestEvenAndSaturates) {
  const Epilogue s8{.output = ElementType::s8, .scale = true};
  EXPECT_EQ(one(s8, ElementType::s32, 5, 0.5f), 2u);  // 2.5
  EXPECT_EQ(one(s8, ElementType::s32, 7, 0.5f), 4u);  // 3.5
  EXPECT_EQ(one(s8, ElementType::s32, std::uint32_t(-5), 0.5f), 0xfeu);
  EXPECT_EQ(one(s8, ElementType::s32, 300, 1), 127u);
  EXPECT_EQ(one(s8, ElementType::s32, std::uint32_t(-300), 1), 0x80u);
  EXPECT_EQ(one({.output = ElementType::u8}, ElementType::s32, std::uint32_t(-3)), 0u);
  EXPECT_EQ(one({.output = ElementType::s4}, ElementType::s32, std::uint32_t(-9)), 0x8u);
  EXPECT_EQ(one({.output = ElementType::u4}, ElementType::f32, word(14.5f)), 14u);
  EXPECT_EQ(one({.output = ElementType::b1}, ElementType::f32, word(0.5f)), 0u);
  EXPECT_EQ(one({.output = ElementType::b1}, ElementType::f32, word(0.51f)), 1u);
  EXPECT_EQ(one({.output = ElementType::b1}, ElementType::f32, word(-3)), 0u);
  EXPECT_EQ(one({.output = ElementType::s8}, ElementType::f32, 0x7fc00000u), 0u);  // NaN
}

TEST(Epilogue, ScaleAndBiasAreOneFusedMultiplyAdd) {
  const Epilogue e{.output = ElementType::f32, .scale = true, .bias = true};
  const float x = 1 + 0x1p-12f;  // x x = 1 + 2^-11 + 2^-24: the last term is lost without fusing
  EXPECT_EQ(one(e, ElementType::f32, word(x), x, -1), word(0x1p-11f + 0x1p-24f));
}

TEST(Epilogue, ReluGivesPlusZero) {
  const Epilogue e{.output = ElementType::f32, .relu = true};
  EXPECT_EQ(one(e, ElementType::f32, 0x80000000u), 0u);
  EXPECT_EQ(one(e, ElementType::f32, 0x7fc00000u), 0u);
  EXPECT_EQ(one(e, ElementType::f32, word(2)), word(2));
}

/// Every combination of an output, on edges that cut vectors, straight and transposed, by rows and columns.
void expect_equals_definition(const char* name, ElementType output, bool scale) {
  const auto& i = isa::find_instruction(name);
  const bool integer = output == ElementType::s32;
  for (int bits = 0; bits < 32; ++bits) {
    RandomProblem x(i, 40, 24, 2 * i.shape.k, false, unsigned(20 + bits));
    Epilogue e{.output = output, .scale = scale && bits & 1};
    e.bias = bits & 2, e.residual = bits & 4, e.relu = bits & 1, e.channel_is_row = bits & 8,
    e.transposed = bits & 16;
    x.problem.epilogue = e;
    std::mt19937_64 random(14);
    const ElementType wide = integer ? ElementType::s32 : ElementType::f32;
    const ElementType residual_type = isa::bits(output) == 16 ? output : wide;
    const PackedMatrix channels = random_matrix(wide, 2, e.channel_is_row ? 40 : 24, random);
    const PackedMatrix residual =
        random_matrix(residual_type, e.transposed ? 24 : 40, e.transposed ? 40 : 24, random);
    KernelOperands operands = x.operands();
    const auto row = [&](std::int64_t r) {
      return std::span(channels.row_as<std::uint32_t>(r), std::size_t(channels.cols()));
    };
    operands.epilogue = {e.scale ? row(0) : std::span<const std::uint32_t>(),
                         e.bias ? row(1) : std::span<const std::uint32_t>(),
                         e.residual ? &residual : nullptr};
    Schedule s = schedule_of(32, 32, 64, 3, 2, 2);
    for (const Decomposition d : {Decomposition::data_parallel, Decomposition::stream_k}) {
      s.decomposition = d;
      x.problem.places = 3;
      const Kernel k = plan_kernel(x.problem, s);
      ASSERT_EQ(run_kernel(k, operands).d, reference_kernel(k, operands))
          << name << " to " << isa::name(output) << " case " << bits;
    }
  }
}

TEST(Epilogue, TheKernelsInstructionsEqualTheDefinition) {
  for (const ElementType out :
       {ElementType::f32, ElementType::f16, ElementType::bf16, ElementType::s8, ElementType::b1})
    expect_equals_definition("m16n8k16.f32.f16.f16.f32", out, true);
  for (const ElementType out : {ElementType::f16, ElementType::f32, ElementType::u8})
    expect_equals_definition("sp.m16n8k32.f16.f16.f16.f16", out, true);
  for (const ElementType out : {ElementType::s8, ElementType::u8, ElementType::s4, ElementType::u4,
                                ElementType::b1, ElementType::f32, ElementType::bf16, ElementType::s32})
    expect_equals_definition("m16n8k32.s32.s8.s8.s32", out, out != ElementType::s32);
}

TEST(Epilogue, FixedPointEqualsTheDefinition) {
  const auto& i = isa::find_instruction("sp.m16n8k64.s32.s8.s8.s32");
  for (int bits = 0; bits < 32; ++bits) {
    RandomProblem x(i, 37, 26, 2 * i.shape.k, false, unsigned(60 + bits));
    Epilogue e{.output = ElementType::s32, .scale = true, .fixed_point = true};
    e.bias = bits & 2, e.residual = bits & 4, e.relu = bits & 1, e.channel_is_row = bits & 8,
    e.transposed = bits & 16;
    x.problem.epilogue = e;
    std::mt19937_64 random(16);
    const std::int64_t channels = e.channel_is_row ? 37 : 26;
    std::vector<std::uint32_t> scale, bias;
    for (std::int64_t c = 0; c < channels; ++c) scale.push_back(std::uint32_t(random() >> 34));
    for (std::int64_t c = 0; c < channels; ++c) scale.push_back(std::uint32_t(12 + random() % 30));
    for (std::int64_t c = 0; c < channels; ++c) bias.push_back(std::uint32_t(random()));
    const PackedMatrix residual =
        random_matrix(ElementType::s32, e.transposed ? 26 : 37, e.transposed ? 37 : 26, random);
    KernelOperands operands = x.operands();
    operands.epilogue.scale = scale;
    if (e.bias) operands.epilogue.bias = bias;
    operands.epilogue.residual = e.residual ? &residual : nullptr;
    Schedule s = schedule_of(32, 32, 128, 3, 2, 2, 4);
    s.decomposition = Decomposition::split_k;
    const Kernel k = plan_kernel(x.problem, s);
    ASSERT_EQ(run_kernel(k, operands).d, reference_kernel(k, operands)) << bits;
  }
}

TEST(Epilogue, ShiftsOutOfRangeAreRefused) {
  RandomProblem x(isa::find_instruction("m16n8k32.s32.s8.s8.s32"), 16, 8, 64, false, 17);
  x.problem.epilogue = {.output = ElementType::s32, .scale = true, .fixed_point = true};
  KernelOperands operands = x.operands();
  for (const std::uint32_t shift : {0u, 63u}) {
    std::vector<std::uint32_t> scale(16, 1);
    scale[11] = shift;
    operands.epilogue.scale = scale;
    EXPECT_THROW(run_kernel(plan_kernel(x.problem, schedule_of(32, 32, 64, 2, 1, 2)), operands), Error);
  }
}

TEST(Epilogue, NarrowRowsTakeNarrowStores) {
  for (const std::int64_t n : {1, 2, 3, 5, 6, 12, 33}) {
    RandomProblem x(isa::find_instruction("m16n8k32.s32.s8.s8.s32"), 19, n, 64, false, 15);
    for (const ElementType out : {ElementType::s32, ElementType::s8, ElementType::f16}) {
      x.problem.epilogue.output = out;
      const Kernel k = plan_kernel(x.problem, schedule_of(32, 32, 64, 2, 1, 2));
      EXPECT_EQ(run_kernel(k, x.operands()).d, reference_kernel(k, x.operands()))
          << n << " " << isa::name(out);
    }
  }
}

}  // namespace
}  // namespace twofour::emu
