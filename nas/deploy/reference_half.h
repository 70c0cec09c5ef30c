#pragma once
// f16 numbers of the independent reference: words and stream words taken apart here, without emu/.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>

namespace twofour::nas {

/// Exponent of a zero half: a product with it stays below that of a zero sum.
inline constexpr int below_all = -200;

/// significand * 2^(exponent - 10), signed; subnormal values have the exponent of the smallest normal one,
/// zero one so low that its products never lead a block.
struct Half {
  std::int32_t significand, exponent;
};

inline Half half_from_word(std::uint32_t word) {
  const int field = int(word >> 10 & 31), fraction = int(word & 1023);
  const int magnitude = field == 0 ? fraction : fraction + 1024;
  if (magnitude == 0) return {0, below_all};
  return {word >> 15 != 0 ? -magnitude : magnitude, std::max(field, 1) - 15};
}

/// The f16 nearest to x / 2^16, ties to even.
inline Half half_from_stream(std::int32_t x) {
  std::uint64_t magnitude = std::uint64_t(std::abs(std::int64_t(x)));
  int exponent = std::max(int(std::bit_width(magnitude)) - 1 - 16, -14);
  const int drop = exponent + 6;  // the lowest kept bit weighs 2^(exponent - 10), that of x 2^-16
  if (drop <= 0) {
    magnitude <<= -drop;
  } else {
    const std::uint64_t rest = magnitude & ((1ull << drop) - 1), half = 1ull << (drop - 1);
    magnitude >>= drop;
    magnitude += rest > half || (rest == half && magnitude % 2 == 1);
    if (magnitude == 2048) {
      magnitude = 1024;
      ++exponent;
    }
  }
  return {x < 0 ? -std::int32_t(magnitude) : std::int32_t(magnitude), exponent};
}

}  // namespace twofour::nas
