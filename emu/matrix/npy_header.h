#pragma once
// The header of a .npy file (format 1.0 to 3.0). Private to emu/matrix.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace twofour::emu {

/// What it says: kind 'i' 'u' 'f' 'b', bytes an element, sizes, and where the data starts.
struct NpyHeader {
  char kind = 'u';
  int bytes = 1;
  std::vector<std::int64_t> shape;  ///< each below 10^12
  std::size_t data_at = 0;
  std::string dtype;  ///< "<f4"

  /// Rows of the last dimension: all others together. One dimension is one row; none is one element.
  std::int64_t cols() const { return shape.empty() ? 1 : shape.back(); }
  std::int64_t rows() const;
  std::string shape_text() const;  ///< "2 x 3"
};

/// Throws Error that names the file for what is no such header, big-endian or in Fortran order, and for a
/// file whose data is not exactly what the header promises.
NpyHeader parse_npy_header(const std::string& path, const std::string& file);
/// Of format 1.0, padded so that data starts at a multiple of 64 bytes.
std::string npy_header(const std::string& dtype, std::span<const std::int64_t> shape);

}  // namespace twofour::emu
