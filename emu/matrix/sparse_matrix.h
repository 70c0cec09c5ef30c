#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "twofour/emu/matrix/packed_matrix.h"
#include "twofour/isa/instruction.h"

namespace twofour::emu {

/// A 2:4-compressed matrix (1:2 for tf32, 4:8 in pairs for 4-bit types): the kept half of each row, and one
/// 4-bit code a group that says which columns were kept (isa/sparsity.h).
struct SparseMatrix {
  PackedMatrix values;              ///< rows x cols/2
  std::vector<std::uint8_t> codes;  ///< rows x groups, one nibble each, row-major
  std::int64_t cols = 0;            ///< logical columns

  std::int64_t rows() const { return values.rows(); }
  std::int64_t groups() const { return rows() == 0 ? 0 : std::int64_t(codes.size()) / rows(); }
  std::uint8_t code(std::int64_t row, std::int64_t group) const {
    return codes[std::size_t(row * groups() + group)];
  }
};

/// The first group that keeps too many non-zeros, if there is one.
struct SparsityViolation {
  std::int64_t row, group, first_column;
  int nonzeros;  ///< non-zero elements (pairs for 4-bit types) in the group
};

/// Number of groups with too many non-zeros; the first of them in *first when not null.
/// Throws Error if the type has no sparse form or cols is not a multiple of the group.
std::int64_t count_violations(const PackedMatrix& dense, SparsityViolation* first);

/// Keeps the largest magnitudes of each group (ties: lower column) and zeroes the rest: 2 of 4 elements, 1 of
/// 2 for tf32, 2 of 4 pairs (by the sum of magnitudes) for 4-bit types. Throws Error on NaN, an illegal type
/// or width.
PackedMatrix prune(const PackedMatrix& dense);

/// Compresses a matrix that obeys its sparse form; throws Error that names the first bad row, group and
/// columns. A group with fewer non-zeros than it may keep takes ordered codes (idx0 < idx1), lowest free
/// columns first.
SparseMatrix compress(const PackedMatrix& dense);

/// The dense matrix that the compressed one stands for.
PackedMatrix decompress(const SparseMatrix& sparse);

/// Metadata of the tile (tile_row * m .., tile_k * k ..) in the register order of the instruction: word of
/// each lane of the `e` operand for that selector; lanes that the selector does not name hold 0. Rows beyond
/// the matrix take code 0x4.
std::array<std::uint32_t, 32> metadata_registers(const SparseMatrix& sparse,
                                                 const isa::Instruction& instruction, std::int64_t tile_row,
                                                 std::int64_t tile_k, int selector);

/// The same from rows x groups codes alone.
std::array<std::uint32_t, 32> metadata_registers(std::span<const std::uint8_t> codes, std::int64_t rows,
                                                 std::int64_t groups, const isa::Instruction& instruction,
                                                 std::int64_t tile_row, std::int64_t tile_k, int selector);

}  // namespace twofour::emu
