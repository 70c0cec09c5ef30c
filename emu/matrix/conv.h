#pragma once
#include "twofour/emu/matrix/gemm.h"

namespace twofour::emu {

/// A 2-D convolution, NHWC activations, weights in (r, s, c) order.
struct ConvShape {
  std::int64_t batch = 1, height = 1, width = 1, in_channels = 1;
  std::int64_t out_channels = 1, kernel_h = 1, kernel_w = 1, stride = 1, pad = 0;

  std::int64_t out_height() const { return (height + 2 * pad - kernel_h) / stride + 1; }
  std::int64_t out_width() const { return (width + 2 * pad - kernel_w) / stride + 1; }
  /// Implicit-GEMM sizes: M = out_channels, N = batch * P * Q, K = r * s * c.
  std::int64_t gemm_m() const { return out_channels; }
  std::int64_t gemm_n() const { return batch * out_height() * out_width(); }
  std::int64_t gemm_k() const { return kernel_h * kernel_w * in_channels; }
};

/// The im2col matrix, batch*P*Q x K, K in the order r, s, c with c fastest; outside the image elements are
/// zero bits. Columns are filled up with zeros to a multiple of k_multiple.
PackedMatrix im2col(const ConvShape& shape, const PackedMatrix& activations, std::int64_t k_multiple = 1);

/// Implicit-GEMM convolution W[Cout x K] x im2col[K x NPQ]. activations: batch*H*W rows x C columns (NHWC).
/// weights: Cout rows x K columns, K in the order r, s, c; K is filled up with zeros to the instruction's k.
/// The result holds the accumulators in NHWC: batch*P*Q rows x Cout columns.
PackedMatrix conv2d(const isa::Instruction& instruction, const ConvShape& shape, const PackedMatrix& weights,
                    const PackedMatrix& activations, const NumericOptions& options = {});
/// Sparse weights: compressed along K; weights.cols is K filled up to a multiple of the instruction's k.
PackedMatrix conv2d(const isa::Instruction& instruction, const ConvShape& shape, const SparseMatrix& weights,
                    const PackedMatrix& activations, const NumericOptions& options = {});

}  // namespace twofour::emu
