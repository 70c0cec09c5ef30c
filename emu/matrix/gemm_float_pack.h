#pragma once
// Operands of a float GEMM as the window kernels read them. Private to emu/matrix.
#include <memory>
#include <vector>

#include "twofour/emu/matrix/packed_matrix.h"
#include "twofour/emu/numerics/window.h"

namespace twofour::emu {

/// `count` elements of T that start a cache line, not initialised.
template <class T>
class AlignedArray {
 public:
  explicit AlignedArray(std::int64_t count)
      : lines_(std::make_unique_for_overwrite<Line[]>(std::size_t(count) * sizeof(T) / sizeof(Line) + 1)) {}
  T* data() { return reinterpret_cast<T*>(lines_.get()); }
  const T* data() const { return reinterpret_cast<const T*>(lines_.get()); }

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  std::unique_ptr<Line[]> lines_;
};

/// A, row-major: the broadcast side.
struct PackedRows {
  std::int64_t k;
  std::vector<WindowLine> line;
  AlignedArray<float> value;
  AlignedArray<std::uint32_t> drop;
};
PackedRows pack_rows(const PackedMatrix& a);

/// B in panels of 4 * window_lanes() columns: the vector side. Columns beyond the matrix are zeros.
struct PackedPanels {
  std::int64_t k, width, count;
  std::vector<WindowLine> line;  ///< of each column
  AlignedArray<float> value;     ///< (panel * k + row) * width + column within the panel
  AlignedArray<std::uint8_t> byte;
  const float* panel_value(std::int64_t panel) const { return value.data() + panel * k * width; }
  const std::uint8_t* panel_byte(std::int64_t panel) const { return byte.data() + panel * k * width; }
};
PackedPanels pack_panels(const PackedMatrix& b_transposed);

}  // namespace twofour::emu
