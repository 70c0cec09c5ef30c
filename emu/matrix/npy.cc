#include "twofour/emu/matrix/npy.h"

#include <bit>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <regex>
#include <sstream>

#include "twofour/emu/numerics/block.h"
#include "twofour/emu/numerics/dot.h"
#include "twofour/isa/error.h"
#include "twofour/isa/file.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

/// What a .npy header says: kind 'i' 'u' 'f' 'b', bytes an element, sizes, and where the data starts.
struct Header {
  char kind;
  int bytes;
  std::int64_t rows, cols;
  std::size_t data_at;
  std::string dtype;
};

std::string header_text(const std::string& path, const std::string& file, std::size_t& data_at) {
  if (file.size() < 10 || file.compare(0, 6, "\x93NUMPY") != 0)
    fail("{}: not a .npy file (it does not start with \\x93NUMPY); write it with numpy.save", path);
  const int major = file[6];
  if (major < 1 || major > 3) fail("{}: .npy format version {} is not known (1 to 3 are)", path, major);
  const std::size_t length_bytes = major == 1 ? 2 : 4, start = 8 + length_bytes;
  if (file.size() < start) fail("{}: truncated in the .npy header", path);
  std::size_t length = 0;
  for (std::size_t i = 0; i < length_bytes; ++i)
    length |= std::size_t(static_cast<unsigned char>(file[8 + i])) << (8 * i);
  if (file.size() - start < length) fail("{}: truncated in the .npy header", path);
  constexpr std::size_t longest = 10000;  // what numpy.load takes too; std::regex recurses over the text
  if (length > longest) fail("{}: the .npy header has {} bytes, more than {}", path, length, longest);
  data_at = start + length;
  return file.substr(start, length);
}

std::int64_t parse_size(const std::string& path, const std::string& digits) {
  if (digits.size() > 12) fail("{}: shape: {} is too large", path, digits);
  return std::stoll(digits);
}

Header parse_header(const std::string& path, const std::string& file) {
  Header h{};
  const std::string text = header_text(path, file, h.data_at);
  std::smatch m;
  if (!std::regex_search(text, m, std::regex(R"('descr'\s*:\s*'([<|>=])([a-z])(\d+)')")))
    fail("{}: descr: only plain numeric dtypes are read, the header says {}", path, text);
  h.kind = m[2].str()[0];
  h.bytes = m[3].str().size() > 2 ? 99 : std::stoi(m[3]);
  h.dtype = m[1].str() + m[2].str() + m[3].str();
  if (m[1] == ">" && h.bytes > 1)
    fail("{}: descr: '{}' is big-endian; convert with a.astype('<{}{}')", path, h.dtype, h.kind, h.bytes);
  if (!std::regex_search(text, m, std::regex(R"('fortran_order'\s*:\s*(True|False))")))
    fail("{}: the header lacks fortran_order", path);
  if (m[1] == "True")
    fail("{}: fortran_order: column-major arrays are not read; save numpy.ascontiguousarray(a)", path);
  if (!std::regex_search(text, m, std::regex(R"('shape'\s*:\s*\(\s*(\d+)\s*,\s*(\d+)\s*,?\s*\))")))
    fail("{}: shape: a matrix of two dimensions is needed, the header says {}", path, text);
  h.rows = parse_size(path, m[1]);
  h.cols = parse_size(path, m[2]);
  return h;
}

std::uint64_t raw_element(const Header& h, const std::string& file, std::int64_t index) {
  std::uint64_t word = 0;
  std::memcpy(&word, file.data() + h.data_at + std::size_t(index) * std::size_t(h.bytes),
              std::size_t(h.bytes));
  return word;
}

/// An integer element, range-checked, as raw bits of `type`.
std::uint64_t integer_element(const std::string& path, const Header& h, std::uint64_t word, ElementType type,
                              std::int64_t index) {
  const int shift = 64 - 8 * h.bytes;
  const std::int64_t value = h.kind == 'i' ? std::int64_t(word << shift) >> shift : std::int64_t(word);
  const int width = isa::bits(type);
  const std::int64_t low = isa::is_signed(type) ? -(std::int64_t(1) << (width - 1)) : 0;
  const std::int64_t high = (std::int64_t(1) << (isa::is_signed(type) ? width - 1 : width)) - 1;
  if (value < low || value > high)
    fail("{}: row {}, column {}: {} is outside {}, which holds {} to {}", path, index / h.cols,
         index % h.cols, value, isa::name(type), low, high);
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

Reading choose_reading(const std::string& path, const Header& h, ElementType type) {
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

/// Refuses a file whose data is not exactly what the header promises (sizes are below 10^12, so doubles order
/// them safely).
void check_length(const std::string& path, const Header& h, std::size_t present) {
  const double promised = double(h.rows) * double(h.cols) * h.bytes;
  if (double(present) != promised)
    fail("{}: {} bytes of data, but {} x {} elements of '{}' take {:.0f}: the file is {}", path, present,
         h.rows, h.cols, h.dtype, promised, double(present) < promised ? "truncated" : "too long");
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
                 const std::string& data) {
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}, {}), }}", descr, rows, cols);
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::string file("\x93NUMPY\x01\x00", 8);
  file += char(header.size() & 0xff);
  file += char(header.size() >> 8);
  isa::write_file(path, file + header + data);
}

template <class T>
std::string bytes_of(const std::vector<T>& data) {
  return {reinterpret_cast<const char*>(data.data()), data.size() * sizeof(T)};
}

}  // namespace

PackedMatrix read_npy(const std::string& path, ElementType type) {
  const std::string file = isa::read_file(path);
  const Header h = parse_header(path, file);
  const Reading reading = choose_reading(path, h, type);
  check_length(path, h, file.size() - h.data_at);
  PackedMatrix out(type, h.rows, h.cols);
  for (std::int64_t i = 0; i < h.rows * h.cols; ++i) {
    std::uint64_t word = raw_element(h, file, i);
    if (reading == Reading::integer) word = integer_element(path, h, word, type, i);
    if (reading == Reading::round) word = rounded_float(word, type);
    out.set_bits(i / h.cols, i % h.cols, word);
  }
  return out;
}

void write_npy(const std::string& path, const PackedMatrix& m) {
  const std::size_t bytes = std::size_t(std::max(1, isa::bits(m.type()) / 8));
  std::string data(std::size_t(m.rows() * m.cols()) * bytes, '\0');
  for (std::int64_t i = 0; i < m.rows() * m.cols(); ++i) {
    const std::int64_t r = i / m.cols(), c = i % m.cols();
    const std::uint64_t word = isa::is_float(m.type()) ? m.bits(r, c) : std::uint64_t(m.integer(r, c));
    std::memcpy(data.data() + std::size_t(i) * bytes, &word, bytes);
  }
  write_array(path, descriptor(m.type()), m.rows(), m.cols(), data);
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
  const Header h = parse_header(path, file);
  if ((h.kind != 'i' && h.kind != 'u') || (h.bytes != 1 && h.bytes != 2 && h.bytes != 4))
    fail("{}: descr: metadata is an array of integers of 1, 2 or 4 bytes, not of dtype '{}'", path, h.dtype);
  check_length(path, h, file.size() - h.data_at);
  IntegerArray out{h.dtype, h.rows, h.cols, std::vector<std::uint32_t>(std::size_t(h.rows * h.cols))};
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
