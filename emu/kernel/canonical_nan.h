#pragma once
#include <bit>
#include <cmath>
#include <cstdint>

namespace twofour::emu {

/// The word of an f32 result of the CUDA cores: a NaN is always 0x7fffffff. Source: CUDA C++ Programming
/// Guide, "Floating-Point Standard" (payloads are not kept); PTX ISA 9.1, canonical NaN.
inline std::uint32_t canonical_word(float x) {
  return std::isnan(x) ? 0x7fffffff : std::bit_cast<std::uint32_t>(x);
}

}  // namespace twofour::emu
