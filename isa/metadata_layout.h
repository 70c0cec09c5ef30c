#pragma once
#include <cstdint>

#include "twofour/isa/element.h"

namespace twofour::isa {

/// The metadata matrix E of CUTLASS 2.x and PyTorch: M rows of 16-bit elements (f16, bf16, tf32; four codes
/// each) or 32-bit elements (8- and 4-bit types; eight codes), nibble i of an element being its i-th group.
/// Source: ElementE of cutlass/arch/mma_sparse_sm80.h.
constexpr int metadata_element_bits(ElementType a) {
  return bits(a) >= 16 ? 16 : 32;
}
constexpr int codes_per_metadata_element(ElementType a) {
  return metadata_element_bits(a) / 4;
}

/// Rows that E is permuted within: M must be a multiple. E must also have an even number of columns, because
/// 2 x 2 blocks are swapped; K is then a multiple of the larger mma.sp shape of the type.
constexpr int metadata_row_block(ElementType a) {
  return metadata_element_bits(a) == 16 ? 32 : 16;
}

/// Where element (row, col) of the M x columns matrix E lies in memory, in elements: rows are dealt out so
/// that rows r, r + 8, r + 16, r + 24 (32-bit elements: r, r + 8) of a block become neighbours, the
/// off-diagonal pair of each 2 x 2 block is swapped, and two columns are interleaved. One ldmatrix then
/// hands each lane the `e` register that mma.sp reads. Sources: reorder_meta (cutlass/util/host_reorder.h),
/// ColumnMajorInterleaved<2> (cutlass/layout/matrix.h); the same in
/// torch/sparse/_semi_structured_conversions.py.
constexpr std::int64_t reordered_metadata_offset(ElementType a, std::int64_t rows, std::int64_t row,
                                                 std::int64_t col) {
  const int block = metadata_row_block(a), neighbours = block / 8;
  std::int64_t r = row / block * block + row % 8 * neighbours + row % block / 8, c = col;
  if (r % 2 != c % 2) {
    const int step = r % 2 == 0 ? 1 : -1;
    r += step, c -= step;
  }
  return c / 2 * (2 * rows) + 2 * r + c % 2;
}

}  // namespace twofour::isa
