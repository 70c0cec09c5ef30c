#pragma once
#include <string_view>

#include "twofour/isa/instruction.h"

namespace twofour::isa {

/// GPU generations whose tensor-core arithmetic is known.
enum class Architecture : std::uint8_t { volta, turing, ampere, ada, hopper, blackwell };
std::string_view name(Architecture a);
/// Throws Error that lists the known names.
Architecture parse_architecture(std::string_view name);

enum class Rounding : std::uint8_t { toward_zero, nearest_even };

/// How a floating-point instruction sums: the K products of an element are cut into blocks of `products`;
/// each block adds its exact products and the running accumulator in one fixed-point window and rounds once.
struct BlockRule {
  int products;       ///< products per block (fewer where the instruction's k is smaller)
  int fraction_bits;  ///< F: bits kept below the largest raw exponent of the window
  int zero_exponent;  ///< E0: raw exponent that a zero product or a zero accumulator takes
  Rounding rounding;  ///< of the block's sum to the accumulator type
  Fidelity fidelity;
};

/// The rule for an input type (f16, bf16, tf32) and accumulator (f16, f32). Throws Error where the
/// architecture has none.
const BlockRule& block_rule(Architecture architecture, ElementType input, ElementType accumulator);

}  // namespace twofour::isa
