#pragma once
#include <cstdint>
#include <span>

#include "twofour/isa/architecture.h"

namespace twofour::emu {

/// A finite float taken apart: value = (-1)^negative * significand * 2^(exponent - fraction), where fraction
/// is the number of fraction bits of the format (f16 10, bf16 7, tf32 10 or 23 as stored, f32 23). Zeros and
/// subnormals have the smallest normal exponent.
struct Decoded {
  bool negative;
  std::uint32_t significand;
  int exponent;
};

/// Sizes of a float format's fields.
struct FloatFormat {
  int exponent_bits, fraction_bits;
  bool has_infinity = true;  ///< e4m3 has none: all ones are NaN, the rest of the top exponent is finite
  constexpr int bias() const { return (1 << (exponent_bits - 1)) - 1; }
  constexpr int min_exponent() const { return 1 - bias(); }
  constexpr std::uint32_t infinity() const { return ((1u << exponent_bits) - 1) << fraction_bits; }
  constexpr std::uint32_t magnitude_mask() const { return (1u << (exponent_bits + fraction_bits)) - 1; }
  constexpr bool is_nan(std::uint32_t w) const {
    return has_infinity ? (w & magnitude_mask()) > infinity() : (w & magnitude_mask()) == magnitude_mask();
  }
  constexpr bool is_infinite(std::uint32_t w) const {
    return has_infinity && (w & magnitude_mask()) == infinity();
  }
  constexpr bool is_zero(std::uint32_t w) const { return (w & magnitude_mask()) == 0; }
  constexpr bool is_negative(std::uint32_t w) const {
    return (w >> (exponent_bits + fraction_bits) & 1) != 0;
  }
};

/// Format of fp8, f16, bf16, tf32 and f32 words (tf32 as its f32-form word). Other types have none: do not
/// ask.
constexpr FloatFormat float_format(isa::ElementType type) {
  switch (type) {
    case isa::ElementType::f16: return {5, 10};
    case isa::ElementType::bf16: return {8, 7};
    case isa::ElementType::e4m3: return {4, 3, false};
    case isa::ElementType::e5m2: return {5, 2};
    default: return {8, 23};
  }
}

Decoded decode(FloatFormat format, std::uint32_t word);

/// What the hardware reads of an operand word: tf32 drops the low 13 bits (a NaN whose payload lies there
/// becomes an infinity).
constexpr std::uint32_t operand_word(isa::ElementType type, std::uint32_t word) {
  return type == isa::ElementType::tf32 ? word & 0xffffe000u : word;
}

/// Rounds (-1)^negative * magnitude * 2^lsb_exponent to a float word: toward zero (at least 2^128 overflows
/// to infinity, below it stays the largest finite number) or to nearest even. Subnormal results are produced.
/// A zero magnitude gives +0; a non-zero one that rounds to zero keeps its sign (inferred: nobody has
/// published that case).
std::uint32_t encode(FloatFormat format, isa::Rounding rounding, bool negative, std::uint64_t magnitude,
                     int lsb_exponent);

/// Element types of a block: of a, of b, and of c and the result.
struct BlockTypes {
  isa::ElementType a, b, accumulator;
};

/// The tensor core's step: c + sum of a[i]*b[i] in one fixed-point window. a and b hold words of
/// their types, as many as the block has products; c and the result are words of the accumulator type.
///  1. Any NaN, 0*Inf, or infinities of both signs: the canonical NaN (0x7fffffff; f16 0x7fff). Else any
///  infinity: that infinity.
///  2. Each product is exact, with the sum of the raw exponents as its exponent, not renormalised. A zero
///  product, and a zero c,
///     takes the exponent E0. emax is the largest exponent of all.
///  3. Every term's magnitude is truncated to a multiple of 2^(emax - F); the exact sum of these is rounded
///  once, to the accumulator's format or, with fp8 inputs, to e8m13 in an f32 word. Zero is +0.
/// Source: Khattak and Mikaitis, "Accurate Models of NVIDIA Tensor Cores".
std::uint32_t block_dot(const BlockTypes& types, const isa::BlockRule& rule, std::span<const std::uint32_t> a,
                        std::span<const std::uint32_t> b, std::uint32_t c);

}  // namespace twofour::emu
