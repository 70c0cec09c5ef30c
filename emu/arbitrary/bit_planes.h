#pragma once
#include <vector>

#include "twofour/emu/arbitrary/bit_form.h"
#include "twofour/emu/matrix/packed_matrix.h"

namespace twofour::emu {

/// A matrix of small integers as its bits: plane s holds bit s of every element. The planes lie below each
/// other, so that the products of all pairs of planes are one larger single-bit GEMM.
struct BitPlanes {
  PackedMatrix bits;      ///< b1, (planes * rows) x at least k; row s * rows + r is bit s of row r
  int planes = 1;         ///< bits of an element
  std::int64_t rows = 0;  ///< of the matrix
  std::int64_t k = 0;     ///< its columns; what lies behind them is filled up with zeros

  bool operator==(const BitPlanes&) const = default;
};

/// Value of an element of an integer matrix of at most 8 bits as the operand of a form takes it: of a bipolar
/// operand, b1 holds 1 for +1 and 0 for -1.
int operand_value(const PackedMatrix& matrix, std::int64_t row, std::int64_t col, const ValueRange& range);

/// Throws Error that names row and column for a value out of the range, and for types other than integers of
/// at most 8 bits.
void check_values(const PackedMatrix& matrix, const ValueRange& range);

/// The planes of W (M x K) and of X, given as its transpose (N x K): two's complement for signed weights, 1
/// for +1 and 0 for -1 of bipolar operands. Errors as check_values.
BitPlanes weight_planes(const BitForm& form, const PackedMatrix& weights);
BitPlanes activation_planes(const BitForm& form, const PackedMatrix& activations_transposed);

/// One row: bits 0 to planes - 1 of the codes into row r of each plane. Writes whole bytes; codes.size() is
/// k.
void pack_row(BitPlanes& to, std::int64_t r, std::span<const std::uint8_t> codes);
/// Planes of all bits zero.
BitPlanes empty_planes(int planes, std::int64_t rows, std::int64_t k);

/// Ones in each row of the planes.
std::vector<std::int32_t> count_ones(const BitPlanes& planes);

}  // namespace twofour::emu
