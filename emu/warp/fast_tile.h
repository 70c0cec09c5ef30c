#pragma once
// How the fast paths lay registers out, after the layout rule of isa/layout.h: the four lanes of a quad hold
// four consecutive words of a line of A (a row) or B (a column). Private to emu/warp.
#include <cstring>

#include "twofour/emu/numerics/simd_dispatch.h"
#include "twofour/emu/warp/mma.h"
#include "twofour/isa/layout.h"

namespace twofour::emu {

inline constexpr int columns_n = 8;  // of B in every mma
inline constexpr int max_rows = 16;
inline constexpr int max_line_words = 8;     // of a row of A
inline constexpr int max_column_words = 16;  // of a column of B (a sparse instruction reads all its k)

/// A, row by row: word w of row r at r * words + w.
using RowWords = std::array<std::uint32_t, max_rows * max_line_words>;
/// B, the words of its columns side by side: word w of column c at w * 8 + c.
using ColumnWords = std::array<std::uint32_t, max_column_words * columns_n>;

/// Words of a row of A.
inline int row_words(const isa::Instruction& i) {
  return 4 * isa::registers(i, isa::Operand::a) / (i.shape.m / 8);
}
/// Words of a column of B.
inline int column_words(const isa::Instruction& i) {
  return 4 * isa::registers(i, isa::Operand::b);
}

using Registers = MmaRegisters::Words<const std::uint32_t>;

inline void gather_rows(const isa::Instruction& i, const Registers& a, RowWords& out) {
  const int blocks = i.shape.m / 8, words = row_words(i);
  for (int r = 0; r < isa::registers(i, isa::Operand::a); ++r)
    for (int g = 0; g < 8; ++g)
      std::memcpy(out.data() + (g + 8 * (r % blocks)) * words + 4 * (r / blocks), a[std::size_t(r)] + 4 * g,
                  16);
}

inline void gather_columns(const isa::Instruction& i, const Registers& b, ColumnWords& out) {
  for (int r = 0; r < isa::registers(i, isa::Operand::b); ++r)
    for (int t = 0; t < 4; ++t)
      for (int g = 0; g < columns_n; ++g)
        out[std::size_t((4 * r + t) * columns_n + g)] = b[std::size_t(r)][4 * g + t];
}

/// C and D of 32-bit elements, row by row.
inline void gather_accumulators(const Registers& c, int rows, std::uint32_t* out) {
  for (int row = 0; row < rows; ++row)
    for (int t = 0; t < 4; ++t)
      for (int j = 0; j < 2; ++j)
        out[row * columns_n + 2 * t + j] = c[std::size_t(row / 8 * 2 + j)][4 * (row % 8) + t];
}
inline void scatter_accumulators(const std::uint32_t* in, int rows,
                                 const MmaRegisters::Words<std::uint32_t>& d) {
  for (int r = 0; r < rows / 4; ++r) {
    std::uint32_t* const out = d[std::size_t(r)];
    if (out == nullptr) continue;
    for (int lane = 0; lane < warp_lanes; ++lane)
      out[lane] = in[(r / 2 * 8 + lane / 4) * columns_n + lane % 4 * 2 + r % 2];
  }
}

using Words4 = std::uint32_t __attribute__((vector_size(16)));

/// The transpose of 4 x 4 words.
TWOFOUR_ALWAYS_INLINE void transpose4(Words4& a, Words4& b, Words4& c, Words4& d) {
  const Words4 low0 = __builtin_shufflevector(a, b, 0, 4, 1, 5),
               low1 = __builtin_shufflevector(c, d, 0, 4, 1, 5),
               high0 = __builtin_shufflevector(a, b, 2, 6, 3, 7),
               high1 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  a = __builtin_shufflevector(low0, low1, 0, 1, 4, 5);
  b = __builtin_shufflevector(low0, low1, 2, 3, 6, 7);
  c = __builtin_shufflevector(high0, high1, 0, 1, 4, 5);
  d = __builtin_shufflevector(high0, high1, 2, 3, 6, 7);
}
TWOFOUR_ALWAYS_INLINE Words4 load4(const void* p) {
  Words4 x;
  std::memcpy(&x, p, sizeof x);
  return x;
}
TWOFOUR_ALWAYS_INLINE void store4(void* p, Words4 x) {
  std::memcpy(p, &x, sizeof x);
}
/// From four lines of four words to the lines of their transpose; strides in words.
TWOFOUR_ALWAYS_INLINE void transpose4(const void* from, int from_stride, void* to, int to_stride) {
  const auto* in = static_cast<const std::byte*>(from);
  auto* out = static_cast<std::byte*>(to);
  Words4 a = load4(in), b = load4(in + 4 * from_stride), c = load4(in + 8 * from_stride),
         d = load4(in + 12 * from_stride);
  transpose4(a, b, c, d);
  store4(out, a);
  store4(out + 4 * to_stride, b);
  store4(out + 8 * to_stride, c);
  store4(out + 12 * to_stride, d);
}

/// A register of eight quads as columns: word t of quad g to out[t * stride + g].
TWOFOUR_ALWAYS_INLINE void quads_to_columns(const std::uint32_t* in, void* out, int stride) {
  transpose4(in, 4, out, stride);
  transpose4(in + 16, 4, static_cast<std::byte*>(out) + 16, stride);
}
TWOFOUR_ALWAYS_INLINE void columns_to_quads(const void* in, int stride, std::uint32_t* out) {
  transpose4(in, stride, out, 4);
  transpose4(static_cast<const std::byte*>(in) + 16, stride, out + 16, 4);
}

}  // namespace twofour::emu
