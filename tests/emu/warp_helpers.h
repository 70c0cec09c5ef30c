#pragma once
// What the tests of the warp level share. Layouts and dot products come from the oracle and from PTX's text,
// not from emu/.
#include <cmath>
#include <cstring>

#include "oracle.h"
#include "twofour/emu/warp/mma.h"

namespace twofour::warp_test {

using isa::ElementType;
using Words = std::vector<std::uint32_t>;
using Grid = std::vector<Words>;  // rows of raw words

inline Grid grid(int rows, int cols) {
  return Grid(std::size_t(rows), Words(std::size_t(cols)));
}

inline emu::Fragment random_fragment(ElementType type, int registers, std::mt19937& random, bool specials) {
  emu::Fragment f;
  const int width = isa::bits(type);
  for (int r = 0; r < registers; ++r)
    for (auto& word : f.word[std::size_t(r)])
      for (int e = 0; e < 32 / width; ++e)
        word |= std::uint32_t(oracle::random_word(type, random, specials)) << (width == 32 ? 0 : e * width);
  return f;
}

inline std::uint32_t float_word(float value) {
  std::uint32_t word = 0;
  std::memcpy(&word, &value, 4);
  return word;
}
inline float word_float(std::uint32_t word) {
  float value = 0;
  std::memcpy(&value, &word, 4);
  return value;
}

/// Value of an f16 word; exact in a float.
inline float half_value(std::uint32_t word) {
  const float sign = word & 0x8000 ? -1.0f : 1.0f;
  const int field = int(word >> 10 & 31), fraction = int(word & 1023);
  if (field == 31) return fraction != 0 ? NAN : sign * HUGE_VALF;
  return sign *
         (field == 0 ? std::ldexp(float(fraction), -24) : std::ldexp(float(1024 + fraction), field - 25));
}

/// The f16 nearest to a float, ties to even.
inline std::uint32_t nearest_half(float value) {
  if (std::isnan(value)) return 0x7fff;
  const std::uint32_t sign = std::signbit(value) ? 0x8000 : 0;
  const double size = std::fabs(double(value));
  if (size >= 65520) return sign | 0x7c00;
  if (size == 0) return sign;
  const int exponent = std::max(std::ilogb(size), -14);
  const auto units = std::uint32_t(std::nearbyint(std::ldexp(size, 10 - exponent)));
  return sign | (units + (std::uint32_t(exponent + 14) << 10));
}

/// An element of D of a Tensor Core instruction of sm_80 on a and b, the k products of that element.
inline std::uint32_t expected_element(const isa::Instruction& i, const Words& a, const Words& b,
                                      std::uint32_t c) {
  const std::vector<std::uint64_t> x(a.begin(), a.end()), y(b.begin(), b.end());
  return std::uint32_t(oracle::dot(i, x, y, c));
}

/// With .satfinite: clamped, not wrapped.
inline std::uint32_t expected_clamped(const isa::Instruction& i, const Words& a, const Words& b,
                                      std::uint32_t c) {
  const std::vector<std::uint64_t> x(a.begin(), a.end()), y(b.begin(), b.end());
  return std::uint32_t(oracle::dot(i, x, y, c, {.satfinite = true}));
}

}  // namespace twofour::warp_test
