#include "twofour/emu/matrix/gemm_integer_popcount.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "twofour/emu/numerics/simd_dispatch.h"

namespace twofour::emu {
namespace {

/// Rows of bits as 64-bit words, the last one filled up with zeros (which count nothing under AND and XOR).
std::vector<std::uint64_t> bit_words(const PackedMatrix& m, std::int64_t words) {
  std::vector<std::uint64_t> out(std::size_t(m.rows() * words));
  for (std::int64_t r = 0; r < m.rows(); ++r)
    std::ranges::copy(m.row(r), reinterpret_cast<std::byte*>(out.data() + r * words));
  return out;
}

TWOFOUR_ALWAYS_INLINE std::uint32_t count_body(const std::uint64_t* a, const std::uint64_t* b,
                                               std::int64_t words, bool is_and) {
  std::uint64_t ones = 0;
  if (is_and)
    for (std::int64_t w = 0; w < words; ++w) ones += std::uint64_t(std::popcount(a[w] & b[w]));
  else
    for (std::int64_t w = 0; w < words; ++w) ones += std::uint64_t(std::popcount(a[w] ^ b[w]));
  return std::uint32_t(ones);
}
TWOFOUR_SIMD_VARIANTS(count_bits,
                      (const std::uint64_t* a, const std::uint64_t* b, std::int64_t words, bool is_and,
                       std::uint32_t& ones),
                      ones = count_body(a, b, words, is_and))

}  // namespace

void gemm_popcount(const GemmTask& task, PackedMatrix& d) {
  const std::int64_t words = (task.a.cols() + 63) / 64;
  const std::vector<std::uint64_t> a = bit_words(task.a, words), b = bit_words(task.b, words);
  const bool is_and = task.instruction.op == isa::BitOp::and_popc;
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < d.rows(); ++row)
    for (std::int64_t col = 0; col < d.cols(); ++col) {
      std::uint32_t ones = 0;
      count_bits(a.data() + row * words, b.data() + col * words, words, is_and, ones);
      d.row_as<std::uint32_t>(row)[col] = ones + std::uint32_t(task.c_word(row, col));
    }
}

}  // namespace twofour::emu
