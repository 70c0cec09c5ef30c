#pragma once
#include <array>
#include <string_view>

#include "twofour/isa/instruction.h"

namespace twofour::nas {

/// Matrix type and precision of one layer: what the search chooses from.
enum class Option : std::uint8_t { fp16, fp16_sparse, int8, int8_sparse, int4, int4_sparse, int1 };

/// The operands of an option. Weights are the A operand (the one that can be 2:4), activations the B operand;
/// after a ReLU activations are not negative, so integer activations are unsigned.
struct OptionInfo {
  Option option;
  std::string_view name;
  isa::ElementType weight, activation, accumulator;
  bool sparse;
  isa::BitOp op = isa::BitOp::none;
};

inline constexpr std::array<OptionInfo, 7> option_table{{
    {Option::fp16, "fp16", isa::ElementType::f16, isa::ElementType::f16, isa::ElementType::f32, false},
    {Option::fp16_sparse, "fp16-2:4", isa::ElementType::f16, isa::ElementType::f16, isa::ElementType::f32,
     true},
    {Option::int8, "int8", isa::ElementType::s8, isa::ElementType::u8, isa::ElementType::s32, false},
    {Option::int8_sparse, "int8-2:4", isa::ElementType::s8, isa::ElementType::u8, isa::ElementType::s32,
     true},
    {Option::int4, "int4", isa::ElementType::s4, isa::ElementType::u4, isa::ElementType::s32, false},
    {Option::int4_sparse, "int4-4:8", isa::ElementType::s4, isa::ElementType::u4, isa::ElementType::s32,
     true},
    {Option::int1, "int1", isa::ElementType::b1, isa::ElementType::b1, isa::ElementType::s32, false,
     isa::BitOp::and_popc},
}};

constexpr const OptionInfo& info(Option o) {
  return option_table[static_cast<std::size_t>(o)];
}
constexpr std::string_view name(Option o) {
  return info(o).name;
}
/// The instruction that layers of the option are computed with: the largest k of the table.
const isa::Instruction& instruction_of(Option o);
/// Throws Error that lists the known names.
Option parse_option(std::string_view name);

}  // namespace twofour::nas
