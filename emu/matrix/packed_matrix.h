#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "twofour/emu/matrix/unset_bytes.h"
#include "twofour/isa/element.h"

namespace twofour::emu {

/// A rows x cols matrix of raw element bits, row-major, bit-packed: element c of a row starts at bit
/// c*bits(type) of the row, little end first, as the registers of an instruction hold it. Rows start at whole
/// bytes. tf32 takes 32-bit words.
class PackedMatrix {
 public:
  PackedMatrix() = default;
  /// All bits zero. Throws Error if a size is negative or the matrix would not fit in memory.
  PackedMatrix(isa::ElementType type, std::int64_t rows, std::int64_t cols);
  /// The same, its bits not set: for a result of whole bytes an element, each written by the thread that owns
  /// it.
  static PackedMatrix unset(isa::ElementType type, std::int64_t rows, std::int64_t cols);

  isa::ElementType type() const { return type_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t cols() const { return cols_; }
  std::int64_t row_bytes() const { return row_bytes_; }

  /// Raw bits of one element, zero-extended. No bounds check.
  std::uint64_t bits(std::int64_t row, std::int64_t col) const;
  void set_bits(std::int64_t row, std::int64_t col, std::uint64_t value);

  /// Integer types: the value. (b1: 0 or 1.)
  std::int64_t integer(std::int64_t row, std::int64_t col) const;
  /// Integer types: stores the low bits of value.
  void set_integer(std::int64_t row, std::int64_t col, std::int64_t value) {
    set_bits(row, col, static_cast<std::uint64_t>(value));
  }

  /// The row's bytes.
  std::span<std::byte> row(std::int64_t r) {
    return {data_.data() + r * row_bytes_, std::size_t(row_bytes_)};
  }
  std::span<const std::byte> row(std::int64_t r) const {
    return {data_.data() + r * row_bytes_, std::size_t(row_bytes_)};
  }
  /// The row as an array of T; sizeof(T) must be the element's width in bytes.
  template <class T>
  T* row_as(std::int64_t r) {
    return reinterpret_cast<T*>(data_.data() + r * row_bytes_);
  }
  template <class T>
  const T* row_as(std::int64_t r) const {
    return reinterpret_cast<const T*>(data_.data() + r * row_bytes_);
  }

  bool operator==(const PackedMatrix&) const = default;

 private:
  isa::ElementType type_ = isa::ElementType::s8;
  std::int64_t rows_ = 0, cols_ = 0, row_bytes_ = 0;
  std::vector<std::byte, UnsetBytes> data_;
};

/// The transpose: cols x rows.
PackedMatrix transposed(const PackedMatrix& matrix);

/// The matrix in the upper left corner of one of rows x cols, which must not be smaller; the new elements are
/// zero bits.
PackedMatrix padded(const PackedMatrix& matrix, std::int64_t rows, std::int64_t cols);

}  // namespace twofour::emu
