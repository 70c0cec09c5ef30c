// Integer GEMM: exact 32-bit wrap-around sums, so any order of the additions gives the bits of the scalar
// definition.
#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "twofour/emu/matrix/gemm_paths.h"
#include "twofour/emu/numerics/simd_dispatch.h"

namespace twofour::emu {
namespace {

constexpr int block_rows = 4, block_cols = 4;

/// Elements widened to 16 bits; rows filled up with zero rows to a multiple of the block.
struct Widened {
  std::int64_t k;
  std::vector<std::int16_t> data;
  const std::int16_t* row(std::int64_t r) const { return data.data() + r * k; }
};

void widen_row(const PackedMatrix& m, std::int64_t row, std::int16_t* out) {
  switch (m.type()) {
    case isa::ElementType::s8: std::copy_n(m.row_as<std::int8_t>(row), m.cols(), out); return;
    case isa::ElementType::u8: std::copy_n(m.row_as<std::uint8_t>(row), m.cols(), out); return;
    default:
      for (std::int64_t c = 0; c < m.cols(); ++c) out[c] = std::int16_t(m.integer(row, c));
  }
}

Widened widen(const PackedMatrix& m, int block) {
  const std::int64_t rows = (m.rows() + block - 1) / block * block;
  Widened w{m.cols(), std::vector<std::int16_t>(std::size_t(rows * m.cols()))};
#pragma omp parallel for schedule(static)
  for (std::int64_t r = 0; r < m.rows(); ++r) widen_row(m, r, w.data.data() + r * m.cols());
  return w;
}

/// sums[i][j] += a_i . b_j over at most 2^15 elements, so that 255 * 255 * 2^15 stays below 2^31.
constexpr std::int64_t chunk = std::int64_t(1) << 15;
using Sums = std::int32_t[block_rows][block_cols];

TWOFOUR_ALWAYS_INLINE void block_body(const std::int16_t* a, const std::int16_t* b, std::int64_t stride,
                                      std::int64_t k, Sums& sums) {
  for (int i = 0; i < block_rows; ++i) {
    const std::int16_t* x = a + i * stride;
    const std::int16_t *b0 = b, *b1 = b + stride, *b2 = b + 2 * stride, *b3 = b + 3 * stride;
    std::int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    for (std::int64_t at = 0; at < k; ++at) {
      s0 += std::int32_t(x[at]) * b0[at];
      s1 += std::int32_t(x[at]) * b1[at];
      s2 += std::int32_t(x[at]) * b2[at];
      s3 += std::int32_t(x[at]) * b3[at];
    }
    sums[i][0] = s0;
    sums[i][1] = s1;
    sums[i][2] = s2;
    sums[i][3] = s3;
  }
}
TWOFOUR_SIMD_VARIANTS(multiply_block,
                      (const std::int16_t* a, const std::int16_t* b, std::int64_t stride, std::int64_t k,
                       Sums& sums),
                      block_body(a, b, stride, k, sums))

void multiply_bytes(const GemmTask& task, const PackedMatrix& dense_a, PackedMatrix& d) {
  const Widened a = widen(dense_a, block_rows), b = widen(task.b, block_cols);
  const std::int64_t k = dense_a.cols(), row_blocks = (d.rows() + block_rows - 1) / block_rows;
  const std::int64_t col_blocks = (d.cols() + block_cols - 1) / block_cols;
#pragma omp parallel for schedule(static)
  for (std::int64_t cb = 0; cb < col_blocks; ++cb)
    for (std::int64_t rb = 0; rb < row_blocks; ++rb) {
      std::uint32_t total[block_rows][block_cols] = {};
      for (std::int64_t k0 = 0; k0 < k; k0 += chunk) {
        Sums sums;
        multiply_block(a.row(rb * block_rows) + k0, b.row(cb * block_cols) + k0, k, std::min(chunk, k - k0),
                       sums);
        for (int i = 0; i < block_rows; ++i)
          for (int j = 0; j < block_cols; ++j) total[i][j] += std::uint32_t(sums[i][j]);
      }
      for (int i = 0; i < block_rows && rb * block_rows + i < d.rows(); ++i)
        for (int j = 0; j < block_cols && cb * block_cols + j < d.cols(); ++j) {
          const std::int64_t row = rb * block_rows + i, col = cb * block_cols + j;
          d.row_as<std::uint32_t>(row)[col] = total[i][j] + std::uint32_t(task.c_word(row, col));
        }
    }
}

/// Rows of bits as 64-bit words, the last one filled up with zeros (which count nothing under AND and XOR).
std::vector<std::uint64_t> bit_words(const PackedMatrix& m, std::int64_t words) {
  std::vector<std::uint64_t> out(std::size_t(m.rows() * words));
  for (std::int64_t r = 0; r < m.rows(); ++r)
    std::memcpy(out.data() + r * words, m.row(r).data(), std::size_t(m.row_bytes()));
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

void multiply_bits(const GemmTask& task, PackedMatrix& d) {
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

}  // namespace

void gemm_integer(const GemmTask& task, const PackedMatrix& dense_a, PackedMatrix& d) {
  if (task.instruction.a == isa::ElementType::b1)
    multiply_bits(task, d);
  else
    multiply_bytes(task, dense_a, d);
}

}  // namespace twofour::emu
