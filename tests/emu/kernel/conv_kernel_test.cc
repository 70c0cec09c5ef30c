#include <gtest/gtest.h>

#include "kernel_helpers.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

struct ConvCase {
  const char* instruction;
  ConvShape shape;
  int alignment;
};

/// The kernel against the im2col matrix, which it never makes, filled up to whole k-chunks.
void expect_equals_im2col(const ConvCase& c, const Schedule& s) {
  const auto& i = isa::find_instruction(c.instruction);
  std::mt19937_64 random(13);
  KernelProblem p;
  p.instruction = &i;
  p.conv = c.shape;
  p.m = c.shape.gemm_m(), p.n = c.shape.gemm_n();
  p.k = i.is_sparse() ? (c.shape.gemm_k() + i.shape.k - 1) / i.shape.k * i.shape.k : c.shape.gemm_k();
  p.epilogue.output = i.d;
  p.epilogue.transposed = true;
  p.epilogue.channel_is_row = true;
  const Kernel k = plan_kernel(p, s);
  const PackedMatrix pixels =
      random_matrix(i.b, c.shape.batch * c.shape.height * c.shape.width, c.shape.in_channels, random);
  PackedMatrix weights = random_matrix(i.a, p.m, c.shape.gemm_k(), random);
  KernelOperands x;
  x.b_transposed = &pixels;
  const PackedMatrix columns = im2col(c.shape, pixels, k.chunk_k);
  if (i.is_sparse()) {
    weights = prune(padded(weights, p.m, p.k));
    const SparseMatrix sparse = compress(weights);
    x.a = &sparse.values, x.sparse = &sparse;
    EXPECT_EQ(run_kernel(k, x).d,
              transposed(gemm(i, compress(padded(weights, p.m, columns.cols())), columns)));
    if (!isa::is_float(i.a)) {
      EXPECT_EQ(run_kernel(k, x).d, conv2d(i, c.shape, sparse, pixels));
    }
  } else {
    x.a = &weights;
    EXPECT_EQ(run_kernel(k, x).d, transposed(gemm(i, padded(weights, p.m, columns.cols()), columns)));
    if (!isa::is_float(i.a)) {
      EXPECT_EQ(run_kernel(k, x).d, conv2d(i, c.shape, weights, pixels));
    }
  }
}

TEST(ConvKernel, ImplicitGemmEqualsConvolution) {
  const ConvShape three{.batch = 2,
                        .height = 7,
                        .width = 6,
                        .in_channels = 32,
                        .out_channels = 40,
                        .kernel_h = 3,
                        .kernel_w = 3,
                        .stride = 1,
                        .pad = 1};
  const ConvShape strided{.batch = 1,
                          .height = 11,
                          .width = 9,
                          .in_channels = 64,
                          .out_channels = 20,
                          .kernel_h = 3,
                          .kernel_w = 5,
                          .stride = 2,
                          .pad = 2};
  const ConvShape pointwise{.batch = 3, .height = 5, .width = 5, .in_channels = 128, .out_channels = 64};
  const ConvShape narrow{.batch = 2,
                         .height = 8,
                         .width = 8,
                         .in_channels = 4,
                         .out_channels = 17,
                         .kernel_h = 7,
                         .kernel_w = 7,
                         .stride = 2,
                         .pad = 3};
  const ConvShape bits{.batch = 2,
                       .height = 6,
                       .width = 6,
                       .in_channels = 128,
                       .out_channels = 24,
                       .kernel_h = 3,
                       .kernel_w = 3,
                       .stride = 1,
                       .pad = 1};
  const ConvCase cases[] = {
      {"m16n8k16.f32.f16.f16.f32", three, 16},      {"sp.m16n8k32.f32.f16.f16.f32", three, 16},
      {"sp.m16n8k64.s32.s8.u8.s32", three, 16},     {"m16n8k32.s32.s8.u8.s32", strided, 16},
      {"sp.m16n8k128.s32.s4.u4.s32", strided, 16},  {"m16n8k8.f32.tf32.tf32.f32", pointwise, 16},
      {"sp.m16n8k64.s32.s8.s8.s32", pointwise, 16}, {"m16n8k32.s32.s8.s8.s32", narrow, 4},
      {"m16n8k16.f32.bf16.bf16.f32", narrow, 8},    {"m16n8k256.s32.b1.b1.s32.and", bits, 16}};
  for (const ConvCase& c : cases) {
    SCOPED_TRACE(c.instruction);
    expect_equals_im2col(c, schedule_of(64, 64, 64, 3, 2, 2, c.alignment));
    expect_equals_im2col(c, schedule_of(32, 32, 128, 2, 1, 2, c.alignment));
  }
}

TEST(ConvKernel, ChannelsThatNoCopyFitsAreRefused) {
  KernelProblem p;
  p.instruction = &isa::find_instruction("m16n8k32.s32.s8.s8.s32");
  p.conv = ConvShape{.batch = 1,
                     .height = 8,
                     .width = 8,
                     .in_channels = 3,
                     .out_channels = 16,
                     .kernel_h = 3,
                     .kernel_w = 3};
  p.m = 16, p.n = p.conv->gemm_n(), p.k = 27;
  p.epilogue.output = ElementType::s32;
  EXPECT_THROW(plan_kernel(p, schedule_of(64, 64, 64, 3, 2, 2, 4)), Error);
}

}  // namespace
}  // namespace twofour::emu
