#pragma once
#include "twofour/emu/timing/gemm_latency.h"

namespace twofour::emu {

/// Convolution of an NHWC tensor as an implicit GEMM: m = filters (the weights, the sparse operand), n =
/// batch * P * Q, k = kernel_h * kernel_w * channels. The activations are read from the tensor, not from an
/// im2col matrix; pixels that no window touches (strides longer than the kernel) are not read.
struct ConvProblem {
  std::int64_t batch = 1, height = 0, width = 0, channels = 0;
  std::int64_t filters = 0, kernel_h = 1, kernel_w = 1, stride = 1, padding = 0;
  isa::ElementType type = isa::ElementType::f16;
  bool sparse = false;
  int output_bits = 16;
  Launch launch = Launch::graph;
};

/// Sizes of one side of a convolution.
struct ConvSide {
  std::int64_t size = 0, kernel = 1, stride = 1, dilation = 1;
  std::int64_t padding = 0;  ///< both ends together
};

/// The same with sides that differ.
struct ConvShape2d {
  std::int64_t batch = 1, channels = 0, filters = 0;
  ConvSide height, width;
};

/// The implicit GEMM of a convolution, and the bytes behind its B. Channels are padded as kernels that load
/// vectors need it: to a multiple of 16 bytes, or, where there are fewer, to 2, 4 or 8 channels (the fixed
/// channel counts of CUTLASS' implicit GEMM iterators). Throws Error for sizes out of range and a kernel
/// larger than the padded input.
struct ImplicitGemm {
  GemmProblem gemm;
  double tensor_bytes;
};
ImplicitGemm implicit_gemm(const ConvShape2d& shape, isa::ElementType type);

/// Latency of a convolution. Throws Error as gemm_latency, and for a kernel larger than the padded input.
Latency conv_latency(const ConvProblem& problem, const isa::Machine& machine,
                     const TimingConstants& constants = fitted_constants);

}  // namespace twofour::emu
