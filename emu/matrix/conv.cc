#include "twofour/emu/matrix/conv.h"

#include <algorithm>

#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

void check_shape(const ConvShape& s) {
  if (s.batch < 1 || s.height < 1 || s.width < 1 || s.in_channels < 1 || s.out_channels < 1 ||
      s.kernel_h < 1 || s.kernel_w < 1 || s.stride < 1 || s.pad < 0)
    fail("convolution: sizes and stride must be at least 1 and padding at least 0");
  if (s.height + 2 * s.pad < s.kernel_h || s.width + 2 * s.pad < s.kernel_w)
    fail("convolution: a {} x {} kernel is larger than the padded image of {} x {}", s.kernel_h, s.kernel_w,
         s.height + 2 * s.pad, s.width + 2 * s.pad);
}

std::int64_t round_up(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// Copies the channels of one pixel into a row of the im2col matrix, from column `to` on.
void copy_channels(const ConvShape& s, const PackedMatrix& activations, std::int64_t pixel, PackedMatrix& out,
                   std::int64_t row, std::int64_t to) {
  const int width = isa::bits(activations.type());
  if (s.in_channels * width % 8 == 0 && to * width % 8 == 0) {
    const auto from = activations.row(pixel);
    std::copy(from.begin(), from.end(), out.row(row).begin() + to * width / 8);
    return;
  }
  for (std::int64_t c = 0; c < s.in_channels; ++c) out.set_bits(row, to + c, activations.bits(pixel, c));
}

}  // namespace

PackedMatrix im2col(const ConvShape& s, const PackedMatrix& activations, std::int64_t k_multiple) {
  check_shape(s);
  if (activations.rows() != s.batch * s.height * s.width || activations.cols() != s.in_channels)
    fail("convolution: activations are {} x {}, but batch*height*width x channels is {} x {}",
         activations.rows(), activations.cols(), s.batch * s.height * s.width, s.in_channels);
  PackedMatrix out(activations.type(), s.gemm_n(), round_up(s.gemm_k(), k_multiple));
  const std::int64_t q_count = s.out_width(), p_count = s.out_height();
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < s.gemm_n(); ++row) {
    const std::int64_t q = row % q_count, p = row / q_count % p_count, n = row / q_count / p_count;
    for (std::int64_t r = 0; r < s.kernel_h; ++r)
      for (std::int64_t c = 0; c < s.kernel_w; ++c) {
        const std::int64_t y = p * s.stride + r - s.pad, x = q * s.stride + c - s.pad;
        if (y < 0 || y >= s.height || x < 0 || x >= s.width) continue;
        copy_channels(s, activations, (n * s.height + y) * s.width + x, out, row,
                      (r * s.kernel_w + c) * s.in_channels);
      }
  }
  return out;
}

PackedMatrix conv2d(const isa::Instruction& instruction, const ConvShape& shape, const PackedMatrix& weights,
                    const PackedMatrix& activations, const NumericOptions& options) {
  const PackedMatrix columns = im2col(shape, activations, instruction.shape.k);
  if (weights.rows() != shape.gemm_m() || weights.cols() != shape.gemm_k())
    fail("convolution: weights are {} x {}, but out_channels x r*s*c is {} x {}", weights.rows(),
         weights.cols(), shape.gemm_m(), shape.gemm_k());
  return transposed(
      gemm(instruction, padded(weights, weights.rows(), columns.cols()), columns, nullptr, options));
}

PackedMatrix conv2d(const isa::Instruction& instruction, const ConvShape& shape, const SparseMatrix& weights,
                    const PackedMatrix& activations, const NumericOptions& options) {
  const PackedMatrix columns = im2col(shape, activations, instruction.shape.k);
  if (weights.rows() != shape.gemm_m() || weights.cols != columns.cols())
    fail(
        "convolution: compressed weights stand for {} x {}, but out_channels x r*s*c filled up to a multiple "
        "of {} is {} x {}",
        weights.rows(), weights.cols, instruction.shape.k, shape.gemm_m(), columns.cols());
  return transposed(gemm(instruction, weights, columns, nullptr, options));
}

}  // namespace twofour::emu
