#pragma once
// The tensor core's fixed-point window (block_dot) on vectors of f32 values: many elements of D at once, bit
// for bit the scalar definition wherever window_admits() and window_scale_c() say so.
//
// How: a product of two f16, bf16 or tf32 values is exact in f32, and so is its multiple by 2^(F - emax);
// conversion to an integer truncates it as the rule says; the integers add up exactly; one conversion toward
// zero (f16: one rounding to nearest even) gives the new accumulator. emax comes from bytes: each element
// carries its raw exponent, and saturating byte arithmetic keeps zeros below everything. Rows of A and
// columns of B ("lines") are scaled by powers of two, so that one range of exponents serves all magnitudes.
#include <cstddef>
#include <cstdint>

#include "twofour/isa/architecture.h"

namespace twofour::emu {

/// Which of block_dot's rules, and on which operands.
struct WindowRule {
  isa::ElementType input = isa::ElementType::f16;
  int products = 8;        ///< of a block: 4, 8 or 16
  int fraction_bits = 24;  ///< F
  int zero_exponent = -132;
  bool half = false;  ///< the accumulator is f16, rounded to nearest even; else f32, toward zero
};

/// The rule of an architecture for blocks of at most `stored_k` products. Throws Error where it has none.
WindowRule window_rule(isa::Architecture architecture, isa::ElementType input, isa::ElementType accumulator,
                       int stored_k);

/// A line of operands: a row of A or a column of B.
struct WindowLine {
  int highest = 0, lowest = 0;  ///< raw exponents of its non-zero elements
  bool finite = false;          ///< false: it holds a NaN or an infinity
  bool usable = false;          ///< false: not finite, or exponents too far apart; only block_dot serves it
  double factor = 1;  ///< element = factor * scaled element. D = accumulator * factor of A * factor of B
};

constexpr std::uint8_t zero_drop = 255;

/// Takes a line of k raw words (16-bit words of f16 and bf16, 32-bit ones of tf32) apart: value[i] is the
/// element scaled by 2^(window_top - highest), drop[i] is highest minus its raw exponent, zero_drop for a
/// zero. A line that is not usable comes out as zeros.
WindowLine window_unpack(isa::ElementType type, const void* words, std::int64_t k, float* value,
                         std::uint8_t* drop);
WindowLine window_unpack(isa::ElementType type, const void* words, std::int64_t k, float* value,
                         std::uint32_t* drop);

/// The exponent to which lines are scaled; f16 lines always have highest = 15 and so stay as they are.
constexpr int window_top(isa::ElementType type) {
  return type == isa::ElementType::f16 ? 15 : 40;
}
/// drop of an element on the broadcast side, as WindowCall takes it.
constexpr std::uint32_t window_broadcast(std::uint8_t drop) {
  return drop * 0x01010101u;
}
/// The exponent byte of an element on the vector side.
constexpr std::uint8_t window_byte(isa::ElementType type, std::uint8_t drop) {
  return drop == zero_drop ? std::uint8_t(0) : std::uint8_t(127 + 2 * window_top(type) - drop);
}

/// Whether chains of that many blocks over these two lines fit: no accumulator overflows or loses bits among
/// subnormals.
bool window_admits(const WindowRule& rule, const WindowLine& a, const WindowLine& b, std::int64_t blocks);
/// C as the first accumulator: c / factor, the product of both lines' factors (an f16 as the f32 of equal
/// value, infinities included). False where the window cannot take it: a NaN, or too small or too large
/// beside the products; then use block_dot.
bool window_scale_c(const WindowRule& rule, float c, double factor, float& scaled);

/// One line of the broadcast side against one or four vectors of lines: for lane j of vector g,
/// accumulator[g * lanes + j] = chain over blocks, i ascending, of value[i] * vector side(rows[i], g, j).
/// Rows of the vector side are `vectors * lanes` f32 values, then 4 * lanes exponent bytes, of which byte
/// 4 * j + g belongs to lane j of vector g (of one vector, the other bytes may be anything).
struct WindowCall {
  std::int64_t blocks;           ///< of rule.products elements
  const float* value;            ///< broadcast side, blocks * products
  const std::uint32_t* drop;     ///< window_broadcast() of each
  const std::int32_t* rows;      ///< row of the vector side that each one meets
  const std::byte* vector_side;  ///< aligned to 64 bytes, or slower
  float* accumulator;            ///< scaled; f16 accumulators as the f32 of equal value
};
constexpr std::int64_t window_row_bytes(int lanes, int vectors) {
  return 4 * lanes * (vectors + 1);
}

/// A warp's tile: all of A is one line, and all of B. The 16 rows of A are the lanes, eight columns of B are
/// broadcast.
struct WindowTile {
  static constexpr int rows = 16, columns = 8;
  std::int64_t blocks;          ///< of rule.products elements of a row of A
  const float* a_value;         ///< [stored k][row]
  const std::uint32_t* a_byte;  ///< the same; window_byte() in each of the four bytes
  std::int64_t k;               ///< rows of B: blocks * products, or twice that many where `select` is given
  const float* b_value;         ///< [column][k]
  const std::uint32_t* b_drop;  ///< [column / 4][k]; byte j belongs to column 4 * (column / 4) + j
  const std::uint32_t* select;  ///< [stored k][row]: of B's rows 4 * (stored k / 2) .. + 3 the one that the
                                ///< element meets, in the low two bits; null: stored k itself
  float* accumulator;           ///< [column][row]; scaled; f16 accumulators as the f32 of equal value
};
using WindowTileKernel = void (*)(const WindowRule&, const WindowTile&);
WindowTileKernel window_tile_kernel(const WindowRule& rule, bool selected);

/// Lanes of a vector on this processor: 16, 8 or 4.
int window_lanes();
/// The kernel for one vector of window_lanes() lanes, or for four.
using WindowKernel = void (*)(const WindowRule&, const WindowCall&);
WindowKernel window_kernel(const WindowRule& rule, bool four_vectors);

}  // namespace twofour::emu
