#pragma once
// How the fast paths lay registers out, after the layout rule of isa/layout.h: the four lanes of a quad hold
// four consecutive words of a line of A (a row) or B (a column). Private to emu/warp.
#include <cstring>

#include "twofour/emu/warp/fragment.h"
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

inline void gather_rows(const isa::Instruction& i, const Fragment& a, RowWords& out) {
  const int blocks = i.shape.m / 8, words = row_words(i);
  for (int r = 0; r < isa::registers(i, isa::Operand::a); ++r)
    for (int g = 0; g < 8; ++g)
      std::memcpy(out.data() + (g + 8 * (r % blocks)) * words + 4 * (r / blocks),
                  a.word[std::size_t(r)].data() + 4 * g, 16);
}

inline void gather_columns(const isa::Instruction& i, const Fragment& b, ColumnWords& out) {
  for (int r = 0; r < isa::registers(i, isa::Operand::b); ++r)
    for (int t = 0; t < 4; ++t)
      for (int g = 0; g < columns_n; ++g)
        out[std::size_t((4 * r + t) * columns_n + g)] = b.word[std::size_t(r)][std::size_t(4 * g + t)];
}

/// C and D of 32-bit elements, row by row with `stride` words from one to the next.
inline void gather_accumulators(const Fragment& c, int rows, int stride, std::uint32_t* out) {
  for (int row = 0; row < rows; ++row)
    for (int t = 0; t < 4; ++t)
      for (int j = 0; j < 2; ++j)
        out[row * stride + 2 * t + j] = c.word[std::size_t(row / 8 * 2 + j)][std::size_t(4 * (row % 8) + t)];
}
inline void scatter_accumulators(const std::uint32_t* in, int rows, int stride, Fragment& d) {
  for (int row = 0; row < rows; ++row)
    for (int t = 0; t < 4; ++t)
      for (int j = 0; j < 2; ++j)
        d.word[std::size_t(row / 8 * 2 + j)][std::size_t(4 * (row % 8) + t)] = in[row * stride + 2 * t + j];
}

}  // namespace twofour::emu
