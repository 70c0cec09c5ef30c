#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "twofour/emu/matrix/packed_matrix.h"

namespace twofour::emu {

/// Reads a two-dimensional .npy file (format 1.0 to 3.0, little-endian or single bytes, C order) as a matrix
/// of `type`. What may stand in the file, by type:
///   s8 u8 s4 u4 s32: any integer dtype, one element each, values in range. b1: bool or integers 0 and 1.
///   f16: float16 words; bf16: uint16 words; e4m3, e5m2: uint8 words; tf32, f32: float32 words; f64: float64
///   words; and float32 for f16 and bf16, which is rounded to nearest even.
/// Throws Error that names the file and what is wrong.
PackedMatrix read_npy(const std::string& path, isa::ElementType type);

/// Writes the matrix: s8 s4 as int8, u8 u4 b1 as uint8, s32 as int32, f16 as float16, bf16 as uint16 words,
/// tf32 and f32 as float32, f64 as float64. The file appears whole or not at all.
void write_npy(const std::string& path, const PackedMatrix& matrix);

/// The same for any number of dimensions: rows are those of the last one, whatever the others; an array of
/// one dimension is one row.
struct ShapedMatrix {
  PackedMatrix matrix;
  std::vector<std::int64_t> shape;
};
ShapedMatrix read_npy_shaped(const std::string& path, isa::ElementType type);
void write_npy(const std::string& path, const PackedMatrix& matrix, std::span<const std::int64_t> shape);

/// An array as it lies in the file: any dtype of whole little-endian elements, any shape.
struct NpyArray {
  std::string dtype;  ///< as numpy spells it: "<f4"
  std::vector<std::int64_t> shape;
  std::string data;
};
NpyArray read_npy_array(const std::string& path);
void write_npy(const std::string& path, const std::string& dtype, std::span<const std::int64_t> shape,
               std::span<const std::byte> data);

/// The same for a vector of bytes as a rows x cols uint8 array (metadata codes), or 32-bit words as uint32.
void write_npy(const std::string& path, const std::vector<std::uint8_t>& data, std::int64_t rows,
               std::int64_t cols);
void write_npy(const std::string& path, const std::vector<std::uint32_t>& data, std::int64_t rows,
               std::int64_t cols);

/// A two-dimensional array of whole words, 1, 2 or 4 bytes each, as metadata comes.
struct IntegerArray {
  std::string dtype;  ///< as numpy spells it: "|u1", "<u2", "<i2", "<u4", "<i4"
  std::int64_t rows = 0, cols = 0;
  std::vector<std::uint32_t> words;  ///< raw bits, zero-extended, row-major

  bool operator==(const IntegerArray&) const = default;
};

/// Reads any two-dimensional .npy file of integers of 1, 2 or 4 bytes. Throws Error as read_npy does.
IntegerArray read_npy_integers(const std::string& path);
void write_npy(const std::string& path, const IntegerArray& array);

}  // namespace twofour::emu
