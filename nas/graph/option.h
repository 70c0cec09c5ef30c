#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "twofour/isa/instruction.h"

namespace twofour::nas {

/// Matrix type and precision of one layer: what the search chooses from. Behind int1 (one-bit weights,
/// one-bit activations) follow the arbitrary precisions w1a2 .. w8a8, which are sums of int1 products
/// (APNN-TC, Feng et al., SC 2021, arXiv 2106.12169): arbitrary_precision() makes them.
enum class Option : std::uint8_t {
  fp16,
  fp16_sparse,
  bf16,
  bf16_sparse,
  tf32,
  tf32_sparse,
  int8,
  int8_sparse,
  int4,
  int4_sparse,
  int1
};

/// The operands of an option. Weights are the A operand (the one that can be 2:4), activations the B operand;
/// after a ReLU activations are not negative, so integer activations are unsigned.
struct OptionInfo {
  Option option{};
  std::string_view name;
  isa::ElementType weight{}, activation{}, accumulator{};
  bool sparse = false;
  isa::BitOp op = isa::BitOp::none;
  int weight_bits = 0, activation_bits = 0;  ///< as they are stored; of arbitrary precision: bit planes
};

/// Bit planes of weights (p) and activations (q), 1 to 8 each; (1, 1) is int1.
constexpr Option arbitrary_precision(int p, int q) {
  return static_cast<Option>(static_cast<int>(Option::int1) + (p - 1) * 8 + (q - 1));
}
/// Computed from int1 products.
constexpr bool is_bit_serial(Option o) {
  return o >= Option::int1;
}

namespace option_detail {

inline constexpr std::size_t native = static_cast<std::size_t>(Option::int1), count = native + 64;

struct Name {
  char text[4];
};
constexpr std::array<Name, 64> bit_serial_names() {
  std::array<Name, 64> names{};
  for (int i = 0; i < 64; ++i)
    names[std::size_t(i)] = {{'w', static_cast<char>('1' + i / 8), 'a', static_cast<char>('1' + i % 8)}};
  return names;
}
inline constexpr std::array<Name, 64> names = bit_serial_names();

constexpr std::array<OptionInfo, count> make_table() {
  using enum isa::ElementType;
  std::array<OptionInfo, count> table{{{Option::fp16, "fp16", f16, f16, f32, false},
                                       {Option::fp16_sparse, "fp16-2:4", f16, f16, f32, true},
                                       {Option::bf16, "bf16", bf16, bf16, f32, false},
                                       {Option::bf16_sparse, "bf16-2:4", bf16, bf16, f32, true},
                                       {Option::tf32, "tf32", tf32, tf32, f32, false},
                                       {Option::tf32_sparse, "tf32-1:2", tf32, tf32, f32, true},
                                       {Option::int8, "int8", s8, u8, s32, false},
                                       {Option::int8_sparse, "int8-2:4", s8, u8, s32, true},
                                       {Option::int4, "int4", s4, u4, s32, false},
                                       {Option::int4_sparse, "int4-4:8", s4, u4, s32, true}}};
  for (std::size_t i = 0; i < native; ++i)
    table[i].weight_bits = table[i].activation_bits = isa::bits(table[i].weight);
  for (int i = 0; i < 64; ++i) {
    const auto n = std::size_t(i);
    table[native + n] = {arbitrary_precision(i / 8 + 1, i % 8 + 1),
                         i == 0 ? std::string_view("int1") : std::string_view(names[n].text, 4),
                         b1,
                         b1,
                         s32,
                         false,
                         isa::BitOp::and_popc,
                         i / 8 + 1,
                         i % 8 + 1};
  }
  return table;
}

}  // namespace option_detail

/// All options: the ten of native types, then w_p a_q with p rising, q within p.
inline constexpr std::array<OptionInfo, option_detail::count> option_table = option_detail::make_table();

constexpr const OptionInfo& info(Option o) {
  return option_table[static_cast<std::size_t>(o)];
}
constexpr std::string_view name(Option o) {
  return info(o).name;
}

/// What a search chooses from unless it is told otherwise. Of the bit-serial options w1a2 is faster than int4 where the
/// tensor pipe binds.
inline constexpr std::array<Option, 8> default_menu{
    Option::fp16, Option::fp16_sparse, Option::int8, Option::int8_sparse, Option::int4, Option::int4_sparse,
    arbitrary_precision(1, 2), Option::int1};

/// The instruction that layers of the option are computed with: the largest k of the table.
const isa::Instruction& instruction_of(Option o);
/// Throws Error that lists the known names.
Option parse_option(std::string_view name);

}  // namespace twofour::nas
