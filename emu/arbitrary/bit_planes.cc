#include "twofour/emu/arbitrary/bit_planes.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

bool is_narrow_integer(ElementType type) {
  return !isa::is_float(type) && isa::bits(type) <= 8;
}

/// Bit `plane` of 8 bytes, the first byte's lowest. The multiplier moves bit 8 i to bit 56 + i; no two of the
/// partial products meet.
std::byte gather_bit(std::uint64_t bytes, int plane) {
  const std::uint64_t ones = bytes >> plane & 0x0101010101010101;
  return std::byte(ones * 0x0102040810204080 >> 56);
}

/// The codes of a row; false if one of them is out of range.
template <class T>
bool read_bytes(const T* values, const ValueRange& range, std::vector<std::uint8_t>& codes) {
  bool legal = true;
  for (std::size_t c = 0; c < codes.size(); ++c) {
    const int value = values[c];
    legal &= range.contains(value);
    codes[c] = static_cast<std::uint8_t>(range.bipolar ? value > 0 : value);
  }
  return legal;
}

/// The codes of a row: two's complement, or 1 for +1 of a bipolar operand; false as above.
bool read_row(const PackedMatrix& m, std::int64_t row, const ValueRange& range,
              std::vector<std::uint8_t>& codes) {
  if (m.type() == ElementType::s8) return read_bytes(m.row_as<std::int8_t>(row), range, codes);
  if (m.type() == ElementType::u8) return read_bytes(m.row_as<std::uint8_t>(row), range, codes);
  std::vector<int> values(codes.size());
  for (std::size_t c = 0; c < values.size(); ++c) values[c] = operand_value(m, row, std::int64_t(c), range);
  return read_bytes(values.data(), range, codes);
}

BitPlanes planes_of(const PackedMatrix& m, int planes, const ValueRange& range) {
  BitPlanes out = empty_planes(planes, m.rows(), m.cols());
  std::vector<std::uint8_t> codes(std::size_t(m.cols()));
  if (!is_narrow_integer(m.type())) check_values(m, range);
  for (std::int64_t r = 0; r < m.rows(); ++r) {
    if (!read_row(m, r, range, codes)) check_values(m, range);
    pack_row(out, r, codes);
  }
  return out;
}

}  // namespace

int operand_value(const PackedMatrix& m, std::int64_t row, std::int64_t col, const ValueRange& range) {
  const int value = static_cast<int>(m.integer(row, col));
  return range.bipolar && m.type() == ElementType::b1 ? 2 * value - 1 : value;
}

void check_values(const PackedMatrix& m, const ValueRange& range) {
  if (!is_narrow_integer(m.type())) fail("bit planes of {}; give s8, u8, s4, u4 or b1", isa::name(m.type()));
  for (std::int64_t r = 0; r < m.rows(); ++r)
    for (std::int64_t c = 0; c < m.cols(); ++c)
      if (const int value = operand_value(m, r, c, range); !range.contains(value))
        fail("element {} in row {}, column {}; the operand takes {}", value, r, c, text(range));
}

BitPlanes empty_planes(int planes, std::int64_t rows, std::int64_t k) {
  return {PackedMatrix(ElementType::b1, planes * rows, k), planes, rows, k};
}

void pack_row(BitPlanes& to, std::int64_t r, std::span<const std::uint8_t> codes) {
  for (int plane = 0; plane < to.planes; ++plane) {
    std::byte* row = to.bits.row(plane * to.rows + r).data();
    for (std::size_t c = 0; c < codes.size(); c += 8) {
      std::uint64_t eight = 0;
      std::memcpy(&eight, codes.data() + c, std::min<std::size_t>(8, codes.size() - c));
      *row++ = gather_bit(eight, plane);
    }
  }
}

BitPlanes weight_planes(const BitForm& form, const PackedMatrix& weights) {
  check(form);
  return planes_of(weights, form.weight_bits, weight_range(form));
}

BitPlanes activation_planes(const BitForm& form, const PackedMatrix& activations_transposed) {
  check(form);
  return planes_of(activations_transposed, form.activation_bits, activation_range(form));
}

std::vector<std::int32_t> count_ones(const BitPlanes& planes) {
  std::vector<std::int32_t> counts(std::size_t(planes.bits.rows()));
  for (std::size_t r = 0; r < counts.size(); ++r)
    for (const std::byte b : planes.bits.row(std::int64_t(r)))
      counts[r] += std::popcount(std::to_integer<unsigned>(b));
  return counts;
}

}  // namespace twofour::emu
