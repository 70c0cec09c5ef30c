#include "twofour/emu/matrix/packed_matrix.h"

#include <algorithm>
#include <cstring>

#include "twofour/emu/numerics/dot.h"
#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

constexpr std::int64_t max_bytes = std::int64_t(1) << 40;

}  // namespace

PackedMatrix PackedMatrix::unset(isa::ElementType type, std::int64_t rows, std::int64_t cols) {
  PackedMatrix m;
  m.type_ = type, m.rows_ = rows, m.cols_ = cols;
  if (rows < 0 || cols < 0) fail("a matrix of {} x {} elements: sizes must not be negative", rows, cols);
  const int width = isa::bits(type);
  if (cols > max_bytes / width || (rows > 0 && (cols * width + 7) / 8 > max_bytes / rows))
    fail("a matrix of {} x {} {} elements does not fit in memory", rows, cols, isa::name(type));
  m.row_bytes_ = (cols * width + 7) / 8;
  m.data_.resize(std::size_t(rows * m.row_bytes_));
  return m;
}

PackedMatrix::PackedMatrix(isa::ElementType type, std::int64_t rows, std::int64_t cols)
    : PackedMatrix(unset(type, rows, cols)) {
  std::fill(data_.begin(), data_.end(), std::byte(0));
}

std::uint64_t PackedMatrix::bits(std::int64_t r, std::int64_t c) const {
  const int width = isa::bits(type_);
  const std::byte* at = data_.data() + r * row_bytes_ + c * width / 8;
  if (width < 8) return std::uint64_t(*at) >> (c * width % 8) & ((1u << width) - 1);
  std::uint64_t value = 0;
  std::memcpy(&value, at, std::size_t(width / 8));
  return value;
}

void PackedMatrix::set_bits(std::int64_t r, std::int64_t c, std::uint64_t value) {
  const int width = isa::bits(type_);
  std::byte* at = data_.data() + r * row_bytes_ + c * width / 8;
  if (width >= 8) {
    std::memcpy(at, &value, std::size_t(width / 8));
    return;
  }
  const int shift = int(c * width % 8);
  const unsigned mask = ((1u << width) - 1) << shift;
  *at = std::byte((unsigned(*at) & ~mask) | (unsigned(value << shift) & mask));
}

std::int64_t PackedMatrix::integer(std::int64_t r, std::int64_t c) const {
  return integer_value(type_, bits(r, c));
}

PackedMatrix transposed(const PackedMatrix& m) {
  PackedMatrix out(m.type(), m.cols(), m.rows());
#pragma omp parallel for schedule(static)
  for (std::int64_t r = 0; r < out.rows(); ++r)
    for (std::int64_t c = 0; c < out.cols(); ++c) out.set_bits(r, c, m.bits(c, r));
  return out;
}

PackedMatrix padded(const PackedMatrix& m, std::int64_t rows, std::int64_t cols) {
  if (rows < m.rows() || cols < m.cols())
    fail("a matrix of {} x {} cannot be padded to {} x {}", m.rows(), m.cols(), rows, cols);
  PackedMatrix out(m.type(), rows, cols);
  for (std::int64_t r = 0; r < m.rows(); ++r) std::ranges::copy(m.row(r), out.row(r).begin());
  return out;
}

}  // namespace twofour::emu
