#include "twofour/emu/matrix/random.h"

#include <bit>

#include "twofour/emu/numerics/block.h"

namespace twofour::emu {
namespace {

std::uint64_t random_bits(isa::ElementType type, std::uint64_t word) {
  if (!isa::is_float(type)) return word;
  const auto numerator = std::int64_t(word >> 11) - (std::int64_t(1) << 52);  // 2^-52 units in [-1, 1)
  if (type == isa::ElementType::f64) return std::bit_cast<std::uint64_t>(double(numerator) * 0x1p-52);
  const auto magnitude = std::uint64_t(numerator < 0 ? -numerator : numerator);
  const FloatFormat format = float_format(type);
  return operand_word(type, encode(format, isa::Rounding::toward_zero, numerator < 0, magnitude, -52));
}

}  // namespace

PackedMatrix random_matrix(isa::ElementType type, std::int64_t rows, std::int64_t cols,
                           std::mt19937_64& random) {
  PackedMatrix m(type, rows, cols);
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < cols; ++c) m.set_bits(r, c, random_bits(type, random()));
  return m;
}

std::uint64_t checksum(const PackedMatrix& matrix) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (std::int64_t r = 0; r < matrix.rows(); ++r)
    for (const std::byte b : matrix.row(r)) hash = (hash ^ std::uint64_t(b)) * 0x100000001b3;
  return hash;
}

}  // namespace twofour::emu
