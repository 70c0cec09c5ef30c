#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>

// Conversions between f16 words and f32 values.
namespace twofour::emu {

/// The f32 of equal value; a NaN stays one.
constexpr float half_to_float(std::uint32_t word) {
  const std::uint32_t sign = (word & 0x8000) << 16, magnitude = (word & 0x7fff) << 13;
  if (magnitude >= 0x7c00u << 13) return std::bit_cast<float>(sign | 0x7f800000 | magnitude);
  return std::bit_cast<float>(sign |
                              std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) * 0x1p112f));
}

/// The f16 word nearest to a value, ties to even; a NaN gives 0x7fff, as the CUDA cores' F2FP does.
std::uint16_t float_to_half(float x);

/// The f16 word of a float that an f16 equals, infinities included.
constexpr std::uint16_t float_to_half_exact(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const auto scaled = std::bit_cast<std::uint32_t>(std::bit_cast<float>(bits & 0x7fffffff) * 0x1p-112f);
  return std::uint16_t((bits >> 16 & 0x8000) | std::min(scaled >> 13, 0x7c00u));
}

}  // namespace twofour::emu
