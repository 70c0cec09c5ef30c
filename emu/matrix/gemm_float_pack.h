#pragma once
// Operands of a float GEMM as the window kernels read them. Private to emu/matrix.
#include <algorithm>
#include <memory>
#include <vector>

#include "twofour/emu/matrix/aligned_array.h"
#include "twofour/emu/matrix/packed_matrix.h"
#include "twofour/emu/numerics/window.h"

namespace twofour::emu {

/// A, the broadcast side, in chunks of columns: all rows of a chunk follow each other.
struct PackedRows {
  std::int64_t rows, k, chunk;
  std::vector<WindowLine> line;  ///< of each row
  AlignedArray<float> value;
  AlignedArray<std::uint32_t> drop;
  AlignedArray<std::int32_t> column;  ///< logical column of each element; of a dense A, of the first row only

  std::int64_t length(std::int64_t k0) const { return std::min(chunk, k - k0); }
  /// Where the part of a row that starts at column k0, a multiple of `chunk`, lies.
  std::int64_t at(std::int64_t row, std::int64_t k0) const { return k0 * rows + row * length(k0); }
};
/// `columns` gives the logical columns of a sparse A (rows x k); it is empty for a dense one.
PackedRows pack_rows(const PackedMatrix& a, const std::vector<std::int32_t>& columns, std::int64_t chunk);

/// B in panels of 4 * window_lanes() columns, or of window_lanes() for the last one if that is enough: the
/// vector side. Columns beyond the matrix are zeros.
struct PackedPanels {
  std::int64_t k, columns, lanes;
  std::vector<WindowLine> line;  ///< of each column
  AlignedArray<std::byte> data;

  std::int64_t full_width() const { return 4 * lanes; }
  std::int64_t count() const { return (columns + full_width() - 1) / full_width(); }
  int vectors(std::int64_t panel) const { return columns - panel * full_width() <= lanes ? 1 : 4; }
  std::int64_t row_bytes(std::int64_t panel) const { return window_row_bytes(int(lanes), vectors(panel)); }
  std::int64_t offset(std::int64_t panel) const { return panel * k * window_row_bytes(int(lanes), 4); }
};
PackedPanels pack_panels(const PackedMatrix& b_transposed);

}  // namespace twofour::emu
