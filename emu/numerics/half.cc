#include "twofour/emu/numerics/half.h"

#include "twofour/emu/numerics/block.h"

namespace twofour::emu {

std::uint16_t float_to_half(float x) {
  constexpr FloatFormat half = float_format(isa::ElementType::f16),
                        single = float_format(isa::ElementType::f32);
  const auto word = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t sign = word >> 16 & 0x8000;
  if (single.is_nan(word)) return std::uint16_t(half.magnitude_mask());
  if (single.is_infinite(word)) return std::uint16_t(sign | half.infinity());
  const Decoded d = decode(single, word);
  return std::uint16_t(sign | encode(half, isa::Rounding::nearest_even, false, d.significand,
                                     d.exponent - single.fraction_bits));
}

}  // namespace twofour::emu
