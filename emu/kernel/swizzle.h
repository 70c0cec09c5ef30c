#pragma once
#include <algorithm>
#include <cstdint>

namespace twofour::emu {

/// Rows of a k-chunk in shared memory: `row_bytes` each, a power of two of at least 16, one after the other,
/// their 16-byte units exchanged by XOR so that an instruction that reads the same columns of 8 neighbouring
/// rows meets every bank once. ldmatrix reads one unit of 8 rows at a time; the 8-byte loads of f64 two units
/// of 4 rows. The XOR is that of CUTLASS's TensorOpMultiplicandCrosswise in effect: rows that share 128 bytes
/// take the same value.
struct SwizzledRows {
  int row_bytes;
  int unit_log = 0;  ///< units that stay together, as a power of two: 0 for ldmatrix, 1 for f64

  /// Byte address of byte `column` of a row, from the first row's.
  constexpr std::uint32_t address(int row, int column) const {
    const int units = row_bytes / 16, rows_a_line = std::max(8 / units, 1);
    const int mask = std::min(units, 8) - 1;
    const int exchange = (row / rows_a_line << unit_log) & mask;
    return std::uint32_t(row * row_bytes + ((column / 16 ^ exchange) * 16) + column % 16);
  }
};

}  // namespace twofour::emu
