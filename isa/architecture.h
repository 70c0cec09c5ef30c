#pragma once
#include <string_view>

#include "twofour/isa/instruction.h"

namespace twofour::isa {

/// GPU generations whose tensor-core arithmetic is known.
enum class Architecture : std::uint8_t { volta, turing, ampere, ada, hopper, blackwell };
std::string_view name(Architecture a);
/// Throws Error that lists the known names.
Architecture parse_architecture(std::string_view name);

/// Compute capability that the architecture's chips start at: volta 70, turing 75, ampere 80, ada 89, hopper
/// 90, blackwell 100.
int compute_capability(Architecture a);

/// How well an answer is known.
enum class Fidelity : std::uint8_t {
  hardware,  ///< agrees with published words of real hardware
  defined,   ///< exact by the ISA: integers, single-bit, f64
  inferred   ///< a rule that nobody has measured
};
std::string_view name(Fidelity f);

/// How a floating-point instruction sums: the K products of an element are cut into blocks of `products`;
/// each block adds its exact products and the running accumulator in one fixed-point window and rounds once.
struct BlockRule {
  int products;       ///< products per block (fewer where the instruction's k is smaller)
  int fraction_bits;  ///< F: bits kept below the largest raw exponent of the window
  int zero_exponent;  ///< E0: raw exponent that a zero product or a zero accumulator takes
  Rounding rounding;  ///< of the block's sum to the accumulator type: toward zero or nearest even
  Fidelity fidelity;
  std::string_view source;        ///< of the rule
  int result_fraction_bits = 23;  ///< of an f32 result; the others are zero (fp8 inputs: 13)
};

/// The rule for an input type (f16, bf16, tf32, e4m3, e5m2) and accumulator (f16, f32). Throws Error where
/// the architecture has none.
const BlockRule& block_rule(Architecture architecture, ElementType input, ElementType accumulator);

}  // namespace twofour::isa
