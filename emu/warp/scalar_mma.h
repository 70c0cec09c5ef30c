#pragma once
// One mma by the scalar definition. Private to emu/warp.
#include "twofour/emu/warp/selected_columns.h"

namespace twofour::emu {

/// Largest tiles of the table: elements of A, B and C (m16n8k256 of single bits; the quad pair's 32 x 8 of
/// C).
inline constexpr std::size_t max_a_elements = 16 * 256, max_b_elements = 256 * 8, max_c_elements = 32 * 8;

/// The operands of an mma or mma.sp laid out as tiles.
class ScalarMma {
 public:
  ScalarMma(const isa::Instruction& i, const MmaOperands& operands);
  /// Element (row, col) of D, rows of the quad pair's four products stacked.
  std::uint64_t element(int row, int col, const NumericOptions& options) const;

 private:
  const isa::Instruction& instruction_;
  std::array<std::uint64_t, max_a_elements> a_;  // tiles, row-major
  std::array<std::uint64_t, max_b_elements> b_;
  std::array<std::uint64_t, max_c_elements> c_;
  SelectedColumns columns_;
};

/// D of an mma or mma.sp, all elements by ScalarMma. Operands and options are as checked by execute().
Fragment scalar_mma(const isa::Instruction& i, const MmaOperands& operands, const NumericOptions& options);

}  // namespace twofour::emu
