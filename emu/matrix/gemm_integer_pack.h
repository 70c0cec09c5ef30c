#pragma once
// Packed operands of the integer GEMM. Private to emu/matrix.
#include <cstdint>
#include <vector>

#include "twofour/emu/matrix/aligned_array.h"
#include "twofour/emu/matrix/gemm_integer_kernels.h"
#include "twofour/emu/matrix/sparse_matrix.h"

namespace twofour::emu {

using AlignedWords = AlignedArray<std::uint32_t>;

/// How the elements of a matrix become panels of words.
struct IntegerPanels {
  IntegerForm form;
  std::int64_t steps;        ///< of k
  int width;                 ///< rows in a panel
  int unit = 1;              ///< words of a row in a step: 1 or 2
  std::uint32_t offset = 0;  ///< form bytes: added to every element, so that a byte holds it with the sign
                             ///< that the kernel wants

  std::int64_t panels(std::int64_t rows) const { return (rows + width - 1) / width; }
};

/// Words of 32 bits that `cols` elements fill in a form.
std::int64_t integer_words(IntegerForm form, std::int64_t cols);

/// Rows in panels; a panel holds, step by step, `unit` words of each of its rows. Rows and k beyond the
/// matrix are zeros before the offset.
AlignedWords pack_panels(const PackedMatrix& m, const IntegerPanels& to);

/// A compressed A as panels (form pairs) of its dense rows: elements that select the same column are added
/// up, which 16 bits hold.
AlignedWords pack_decompressed(const SparseMatrix& m, const IntegerPanels& to);

/// A compressed A for a kernel that selects. A step covers eight columns, of which four are kept. Pair by
/// pair of rows it holds the places of the kept elements (a byte each, 0 to 7), a word for either row, and
/// their values (a byte each), a word for either row.
AlignedWords pack_compressed(const SparseMatrix& m, const IntegerPanels& to);

/// Sums of the integers of each row, modulo 2^32.
std::vector<std::uint32_t> row_sums(const PackedMatrix& m);

}  // namespace twofour::emu
