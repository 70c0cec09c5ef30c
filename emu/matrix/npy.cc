#include "twofour/emu/matrix/npy.h"

#include <array>
#include <bit>
#include <cstring>

#include "twofour/emu/matrix/npy_header.h"
#include "twofour/emu/numerics/block.h"
#include "twofour/emu/numerics/dot.h"
#include "twofour/isa/error.h"
#include "twofour/isa/file.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

std::uint64_t raw_element(const NpyHeader& h, const std::string& file, std::int64_t index) {
  std::uint64_t word = 0;
  std::memcpy(&word, file.data() + h.data_at + std::size_t(index) * std::size_t(h.bytes),
              std::size_t(h.bytes));
  return word;
}

/// An integer element, range-checked, as raw bits of `type`.
std::uint64_t integer_element(const std::string& path, const NpyHeader& h, std::uint64_t word,
                              ElementType type, std::int64_t index) {
  const int shift = 64 - 8 * h.bytes;
  const std::int64_t value = h.kind == 'i' ? std::int64_t(word << shift) >> shift : std::int64_t(word);
  const int width = isa::bits(type);
  const std::int64_t low = isa::is_signed(type) ? -(std::int64_t(1) << (width - 1)) : 0;
  const std::int64_t high = (std::int64_t(1) << (isa::is_signed(type) ? width - 1 : width)) - 1;
  if (value < low || value > high)
    fail("{}: row {}, column {}: {} is outside {}, which holds {} to {}", path, index / h.cols(),
         index % h.cols(), value, isa::name(type), low, high);
  return std::uint64_t(value);
}

std::uint64_t rounded_float(std::uint64_t word, ElementType type) {
  const FloatFormat from = float_format(ElementType::f32), to = float_format(type);
  const auto w = std::uint32_t(word);
  const std::uint32_t sign = from.is_negative(w) ? to.magnitude_mask() + 1 : 0;
  if (from.is_nan(w)) return sign | to.magnitude_mask();
  if (from.is_infinite(w)) return sign | to.infinity();
  const Decoded d = decode(from, w);
  return sign |
         encode(to, isa::Rounding::nearest_even, false, d.significand, d.exponent - from.fraction_bits);
}

/// How elements of a file become elements of a type.
enum class Reading { integer, words, round };

Reading choose_reading(const std::string& path, const NpyHeader& h, ElementType type) {
  const bool whole =
      (h.kind == 'i' || h.kind == 'u') && std::has_single_bit(unsigned(h.bytes)) && h.bytes <= 8;
  const bool boolean = h.kind == 'b' && h.bytes == 1;
  if (!isa::is_float(type) && (whole || boolean)) return Reading::integer;
  const bool no_numpy_type =
      type == ElementType::bf16 || type == ElementType::e4m3 || type == ElementType::e5m2;
  if (no_numpy_type && h.kind == 'u' && h.bytes * 8 == isa::bits(type)) return Reading::words;
  if (h.kind == 'f' && isa::is_float(type)) {
    if (h.bytes * 8 == isa::bits(type) && !no_numpy_type) return Reading::words;
    if (h.bytes == 4 && isa::bits(type) == 16) return Reading::round;
  }
  fail("{}: descr: dtype '{}' cannot be read as {}", path, h.dtype, isa::name(type));
}

/// A header of two dimensions.
NpyHeader matrix_header(const std::string& path, const std::string& file) {
  NpyHeader h = parse_npy_header(path, file);
  if (h.shape.size() != 2)
    fail("{}: shape: a matrix of two dimensions is needed, the file has {}", path, h.shape.size());
  return h;
}

std::string descriptor(ElementType type) {
  switch (type) {
    case ElementType::s8:
    case ElementType::s4: return "|i1";
    case ElementType::b1:
    case ElementType::u4:
    case ElementType::e4m3:
    case ElementType::e5m2:
    case ElementType::u8: return "|u1";
    case ElementType::s32: return "<i4";
    case ElementType::f16: return "<f2";
    case ElementType::b16:
    case ElementType::bf16: return "<u2";
    case ElementType::f64: return "<f8";
    case ElementType::tf32:
    case ElementType::f32: break;
  }
  return "<f4";
}

void write_array(const std::string& path, const std::string& descr, std::int64_t rows, std::int64_t cols,
                 std::string_view data) {
  write_npy(path, descr, std::array{rows, cols}, std::as_bytes(std::span(data)));
}

PackedMatrix packed(const std::string& path, const NpyHeader& h, const std::string& file, ElementType type) {
  const Reading reading = choose_reading(path, h, type);
  const std::int64_t cols = h.cols();
  PackedMatrix out(type, h.rows(), cols);
  for (std::int64_t i = 0; i < h.rows() * cols; ++i) {
    std::uint64_t word = raw_element(h, file, i);
    if (reading == Reading::integer) word = integer_element(path, h, word, type, i);
    if (reading == Reading::round) word = rounded_float(word, type);
    out.set_bits(i / cols, i % cols, word);
  }
  return out;
}

/// Elements as a file holds them.
std::string unpacked(const PackedMatrix& m) {
  const std::size_t bytes = std::size_t(std::max(1, isa::bits(m.type()) / 8));
  std::string data(std::size_t(m.rows() * m.cols()) * bytes, '\0');
  for (std::int64_t i = 0; i < m.rows() * m.cols(); ++i) {
    const std::int64_t r = i / m.cols(), c = i % m.cols();
    const std::uint64_t word = isa::is_float(m.type()) ? m.bits(r, c) : std::uint64_t(m.integer(r, c));
    std::memcpy(data.data() + std::size_t(i) * bytes, &word, bytes);
  }
  return data;
}

template <class T>
std::string bytes_of(const std::vector<T>& data) {
  return {reinterpret_cast<const char*>(data.data()), data.size() * sizeof(T)};
}

}  // namespace

PackedMatrix read_npy(const std::string& path, ElementType type) {
  const std::string file = isa::read_file(path);
  return packed(path, matrix_header(path, file), file, type);
}

ShapedMatrix read_npy_shaped(const std::string& path, ElementType type) {
  const std::string file = isa::read_file(path);
  const NpyHeader h = parse_npy_header(path, file);
  return {packed(path, h, file, type), h.shape};
}

NpyArray read_npy_array(const std::string& path) {
  std::string file = isa::read_file(path);
  NpyHeader h = parse_npy_header(path, file);
  file.erase(0, h.data_at);
  return {std::move(h.dtype), std::move(h.shape), std::move(file)};
}

void write_npy(const std::string& path, const std::string& dtype, std::span<const std::int64_t> shape,
               std::span<const std::byte> data) {
  isa::write_file(path, npy_header(dtype, shape), {reinterpret_cast<const char*>(data.data()), data.size()});
}

void write_npy(const std::string& path, const PackedMatrix& m, std::span<const std::int64_t> shape) {
  const std::string data = unpacked(m);
  write_npy(path, descriptor(m.type()), shape, std::as_bytes(std::span(data)));
}

void write_npy(const std::string& path, const PackedMatrix& m) {
  write_npy(path, m, std::array{m.rows(), m.cols()});
}

void write_npy(const std::string& path, const std::vector<std::uint8_t>& data, std::int64_t rows,
               std::int64_t cols) {
  write_array(path, "|u1", rows, cols, bytes_of(data));
}

void write_npy(const std::string& path, const std::vector<std::uint32_t>& data, std::int64_t rows,
               std::int64_t cols) {
  write_array(path, "<u4", rows, cols, bytes_of(data));
}

IntegerArray read_npy_integers(const std::string& path) {
  const std::string file = isa::read_file(path);
  const NpyHeader h = matrix_header(path, file);
  if ((h.kind != 'i' && h.kind != 'u') || (h.bytes != 1 && h.bytes != 2 && h.bytes != 4))
    fail("{}: descr: metadata is an array of integers of 1, 2 or 4 bytes, not of dtype '{}'", path, h.dtype);
  IntegerArray out{h.dtype, h.rows(), h.cols(), std::vector<std::uint32_t>(std::size_t(h.rows() * h.cols()))};
  for (std::size_t i = 0; i < out.words.size(); ++i)
    out.words[i] = std::uint32_t(raw_element(h, file, std::int64_t(i)));
  return out;
}

void write_npy(const std::string& path, const IntegerArray& array) {
  const std::size_t bytes = std::size_t(array.dtype[2] - '0');
  std::string data(array.words.size() * bytes, '\0');
  for (std::size_t i = 0; i < array.words.size(); ++i)
    std::memcpy(data.data() + i * bytes, &array.words[i], bytes);
  write_array(path, array.dtype, array.rows, array.cols, data);
}

}  // namespace twofour::emu
