#include "twofour/emu/numerics/window.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "twofour/emu/numerics/block.h"
#include "twofour/emu/numerics/simd_dispatch.h"
#include "twofour/emu/numerics/window_kernel.h"

namespace twofour::emu {
namespace {

constexpr int none = 1000;     // beyond every exponent
constexpr int max_drop = 150;  // so that a scaled element stays a normal f32

/// What each input type's words are: fields, and the f32 of equal value (of finite words).
struct Half {
  using Word = std::uint16_t;
  static constexpr int fraction_bits = 10, exponent_mask = 31, bias = 15;
  static TWOFOUR_ALWAYS_INLINE std::uint32_t word(Word w) { return w; }
  static TWOFOUR_ALWAYS_INLINE std::uint32_t magnitude(std::uint32_t w) { return w & 0x7fff; }
  static TWOFOUR_ALWAYS_INLINE float value(std::uint32_t w) {
    const float size = std::bit_cast<float>((w & 0x7fff) << 13) * 0x1p112f;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(size) | (w & 0x8000) << 16);
  }
};
template <class Type, int shift, std::uint32_t mask>
struct Single {
  using Word = Type;
  static constexpr int fraction_bits = 23, exponent_mask = 255, bias = 127;
  static TWOFOUR_ALWAYS_INLINE std::uint32_t word(Word w) { return std::uint32_t(w) << shift & mask; }
  static TWOFOUR_ALWAYS_INLINE std::uint32_t magnitude(std::uint32_t w) { return w & 0x7fffffff; }
  static TWOFOUR_ALWAYS_INLINE float value(std::uint32_t w) { return std::bit_cast<float>(w); }
};
using Bfloat = Single<std::uint16_t, 16, 0xffff0000u>;
using Tfloat = Single<std::uint32_t, 0, 0xffffe000u>;

template <class Format>
TWOFOUR_ALWAYS_INLINE int raw_exponent(std::uint32_t w) {
  return std::max(int(w >> Format::fraction_bits & Format::exponent_mask), 1) - Format::bias;
}

/// Exponents of the non-zero elements; a line of zeros keeps highest < lowest.
struct Range {
  int highest = -none, lowest = none;
  bool special = false;
};
template <class Format>
TWOFOUR_ALWAYS_INLINE void range_body(const void* words, std::int64_t k, Range& range) {
  const auto* in = static_cast<const typename Format::Word*>(words);
  std::uint32_t largest = 0, smallest = ~0u;  // magnitudes; the smallest less one, which puts zeros last
  for (std::int64_t i = 0; i < k; ++i) {
    const std::uint32_t magnitude = Format::magnitude(Format::word(in[i]));
    largest = std::max(largest, magnitude);
    smallest = std::min(smallest, magnitude - 1);
  }
  if (largest == 0) return;
  range = {raw_exponent<Format>(largest), raw_exponent<Format>(smallest + 1),
           raw_exponent<Format>(largest) > Format::bias};
}

struct Placing {
  int highest, shift;  // of the line, and the power of two that it is scaled by
};
template <class Format, class Drop>
TWOFOUR_ALWAYS_INLINE void place_body(const void* words, std::int64_t k, Placing at, float* value,
                                      Drop* drop) {
  const auto* in = static_cast<const typename Format::Word*>(words);
  const auto power = [](int e) { return std::bit_cast<float>(std::uint32_t(127 + e) << 23); };
  const float first = power(at.shift / 2), second = power(at.shift - at.shift / 2);  // both steps are exact
  for (std::int64_t i = 0; i < k; ++i) {
    const std::uint32_t w = Format::word(in[i]);
    value[i] = Format::value(w) * first * second;
    drop[i] = Drop(Format::magnitude(w) == 0 ? int(zero_drop) : at.highest - raw_exponent<Format>(w));
  }
}

#define TWOFOUR_WINDOW_FORMAT(format)                                                                       \
  TWOFOUR_SIMD_VARIANTS(range_##format, (const void* words, std::int64_t k, Range& range),                  \
                        range_body<format>(words, k, range))                                                \
  TWOFOUR_SIMD_VARIANTS(place_##format,                                                                     \
                        (const void* words, std::int64_t k, Placing at, float* value, std::uint8_t* drop),  \
                        place_body<format>(words, k, at, value, drop))                                      \
  TWOFOUR_SIMD_VARIANTS(place_##format##_wide,                                                              \
                        (const void* words, std::int64_t k, Placing at, float* value, std::uint32_t* drop), \
                        place_body<format>(words, k, at, value, drop))
TWOFOUR_WINDOW_FORMAT(Half)
TWOFOUR_WINDOW_FORMAT(Bfloat)
TWOFOUR_WINDOW_FORMAT(Tfloat)
#undef TWOFOUR_WINDOW_FORMAT

Range line_range(isa::ElementType type, const void* words, std::int64_t k) {
  Range range;
  switch (type) {
    case isa::ElementType::f16: range_Half(words, k, range); break;
    case isa::ElementType::bf16: range_Bfloat(words, k, range); break;
    default: range_Tfloat(words, k, range);
  }
  return range;
}

void place(isa::ElementType type, const void* words, std::int64_t k, Placing at, float* value,
           std::uint8_t* drop) {
  switch (type) {
    case isa::ElementType::f16: return place_Half(words, k, at, value, drop);
    case isa::ElementType::bf16: return place_Bfloat(words, k, at, value, drop);
    default: place_Tfloat(words, k, at, value, drop);
  }
}
void place(isa::ElementType type, const void* words, std::int64_t k, Placing at, float* value,
           std::uint32_t* drop) {
  switch (type) {
    case isa::ElementType::f16: return place_Half_wide(words, k, at, value, drop);
    case isa::ElementType::bf16: return place_Bfloat_wide(words, k, at, value, drop);
    default: place_Tfloat_wide(words, k, at, value, drop);
  }
}

template <class Drop>
WindowLine unpack(isa::ElementType type, const void* words, std::int64_t k, float* value, Drop* drop) {
  Range range = line_range(type, words, k);
  if (range.highest < range.lowest) range.highest = range.lowest = 0;
  if (type == isa::ElementType::f16) range.highest = 15;
  const WindowLine line{range.highest, range.lowest, !range.special,
                        !range.special && range.highest - range.lowest <= max_drop,
                        std::ldexp(1.0, range.highest - window_top(type))};
  if (!line.usable) {
    std::fill_n(value, k, 0.0f);
    std::fill_n(drop, k, zero_drop);
    return line;
  }
  place(type, words, k, {line.highest, window_top(type) - line.highest}, value, drop);
  return line;
}

const WindowKernels& kernels() {
#if defined(__x86_64__)
  switch (simd_level()) {
    case SimdLevel::avx512: return window_kernels_avx512;
    case SimdLevel::avx2: return window_kernels_avx2;
    default: break;
  }
#endif
  return window_kernels_portable;
}

}  // namespace

WindowRule window_rule(isa::Architecture architecture, isa::ElementType input, isa::ElementType accumulator,
                       int stored_k) {
  const isa::BlockRule& rule = isa::block_rule(architecture, input, accumulator);
  return {input, std::min(rule.products, stored_k), rule.fraction_bits, rule.zero_exponent,
          accumulator == isa::ElementType::f16};
}

WindowLine window_unpack(isa::ElementType type, const void* words, std::int64_t k, float* value,
                         std::uint8_t* drop) {
  return unpack(type, words, k, value, drop);
}
WindowLine window_unpack(isa::ElementType type, const void* words, std::int64_t k, float* value,
                         std::uint32_t* drop) {
  return unpack(type, words, k, value, drop);
}

bool window_admits(const WindowRule& rule, const WindowLine& a, const WindowLine& b, std::int64_t blocks) {
  if (!a.usable || !b.usable) return false;
  const int fraction = rule.input == isa::ElementType::bf16 ? 7 : 10;
  const int high = a.highest + b.highest, last_bit = a.lowest + b.lowest - 2 * fraction;
  const int growth = 6 + int(std::bit_width(std::uint64_t(blocks)));
  // Every term is a multiple of 2^last_bit. Down to 2^-149 f32 holds them all, and the rule's emax of a
  // subnormal accumulator (-126) or of zeros (E0), which the kernel does not know, truncates nothing. Nor
  // does the kernel's least emax, whose unit is the smallest normal number.
  return high + growth <= 126 && last_bit >= -149 && high - last_bit <= 126 + 2 * window_top(rule.input);
}

bool window_scale_c(const WindowRule& rule, float c, double factor, float& scaled) {
  scaled = float(c / factor);
  if (rule.half) return c == c;
  return c == 0 || (std::abs(scaled) >= 0x1p-103f && std::isfinite(scaled) && std::abs(c) < 0x1p126f);
}

int window_lanes() {
  return kernels().lanes;
}

WindowKernel window_kernel(const WindowRule& rule, bool four_vectors) {
  return kernels().kernel[rule.products / 8][rule.half][four_vectors];
}

WindowTileKernel window_tile_kernel(const WindowRule& rule, bool selected) {
  return kernels().tile[rule.products / 8][rule.half][selected];
}

}  // namespace twofour::emu
