#include "twofour/emu/matrix/conv.h"

#include <gtest/gtest.h>

#include "oracle.h"
#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

/// Direct convolution of one output element: the products in the order r, s, c, with zeros outside the image,
/// up to a multiple of k.
void gather(const ConvShape& s, const PackedMatrix& w, const PackedMatrix& x, std::int64_t n, std::int64_t p,
            std::int64_t q, std::int64_t o, std::int64_t k, std::vector<std::uint64_t>& a,
            std::vector<std::uint64_t>& b) {
  a.clear();
  b.clear();
  for (std::int64_t r = 0; r < s.kernel_h; ++r)
    for (std::int64_t t = 0; t < s.kernel_w; ++t)
      for (std::int64_t c = 0; c < s.in_channels; ++c) {
        const std::int64_t y = p * s.stride + r - s.pad, z = q * s.stride + t - s.pad;
        const bool inside = y >= 0 && y < s.height && z >= 0 && z < s.width;
        a.push_back(w.bits(o, (r * s.kernel_w + t) * s.in_channels + c));
        b.push_back(inside ? x.bits((n * s.height + y) * s.width + z, c) : 0);
      }
  a.resize(std::size_t((std::int64_t(a.size()) + k - 1) / k * k));
  b.resize(a.size());
}

void expect_direct(const isa::Instruction& i, const ConvShape& s, const PackedMatrix& w,
                   const PackedMatrix& x, const PackedMatrix& got) {
  ASSERT_EQ(got.rows(), s.gemm_n());
  ASSERT_EQ(got.cols(), s.out_channels);
  std::vector<std::uint64_t> a, b;
  for (std::int64_t row = 0; row < s.gemm_n(); ++row)
    for (std::int64_t o = 0; o < s.out_channels; ++o) {
      gather(s, w, x, row / (s.out_width() * s.out_height()), row / s.out_width() % s.out_height(),
             row % s.out_width(), o, i.shape.k, a, b);
      ASSERT_EQ(got.bits(row, o), oracle::dot(i, a, b, 0))
          << isa::short_name(i) << " row " << row << " channel " << o;
    }
}

const ConvShape shapes[] = {{.batch = 2,
                             .height = 7,
                             .width = 6,
                             .in_channels = 16,
                             .out_channels = 9,
                             .kernel_h = 3,
                             .kernel_w = 3,
                             .stride = 1,
                             .pad = 1},
                            {.batch = 1,
                             .height = 8,
                             .width = 8,
                             .in_channels = 16,
                             .out_channels = 8,
                             .kernel_h = 3,
                             .kernel_w = 3,
                             .stride = 2,
                             .pad = 1},
                            {.batch = 3,
                             .height = 5,
                             .width = 5,
                             .in_channels = 16,
                             .out_channels = 4,
                             .kernel_h = 1,
                             .kernel_w = 1,
                             .stride = 2,
                             .pad = 0},
                            {.batch = 1,
                             .height = 9,
                             .width = 9,
                             .in_channels = 3,
                             .out_channels = 5,
                             .kernel_h = 7,
                             .kernel_w = 5,
                             .stride = 2,
                             .pad = 3}};

TEST(Conv, DenseEqualsDirectConvolution) {
  std::mt19937 random(9);
  for (const char* name : {"m16n8k32.s32.s8.u8.s32", "m16n8k64.s32.s4.u4.s32", "m16n8k256.s32.b1.b1.s32.and",
                           "m16n8k16.f32.f16.f16.f32", "m16n8k8.f32.tf32.tf32.f32"}) {
    const auto& i = isa::find_instruction(name);
    for (const auto& s : shapes) {
      const auto w = oracle::random_matrix(i.a, s.gemm_m(), s.gemm_k(), random, false);
      const auto x = oracle::random_matrix(i.b, s.batch * s.height * s.width, s.in_channels, random, false);
      expect_direct(i, s, w, x, conv2d(i, s, w, x));
    }
  }
}

TEST(Conv, SparseIntegersEqualDirectConvolution) {
  std::mt19937 random(10);
  for (const char* name : {"sp.m16n8k64.s32.s8.u8.s32", "sp.m16n8k128.s32.s4.u4.s32"}) {
    const auto& i = isa::find_instruction(name);
    for (const auto& s : shapes) {
      if (s.in_channels % 16 != 0) continue;
      const std::int64_t k = (s.gemm_k() + i.shape.k - 1) / i.shape.k * i.shape.k;
      auto w = oracle::random_matrix(i.a, s.gemm_m(), k, random, false, true);
      for (std::int64_t r = 0; r < w.rows(); ++r)
        for (std::int64_t c = s.gemm_k(); c < k; ++c) w.set_bits(r, c, 0);
      const auto x = oracle::random_matrix(i.b, s.batch * s.height * s.width, s.in_channels, random, false);
      expect_direct(i, s, w, x, conv2d(i, s, compress(w), x));
    }
  }
}

TEST(Conv, MisfitsAreRefused) {
  const auto& i = isa::find_instruction("m16n8k32.s32.s8.u8.s32");
  const ConvShape s = shapes[0];
  const PackedMatrix w(ElementType::s8, s.gemm_m(), s.gemm_k()), x(ElementType::u8, 84, 16);
  EXPECT_THROW(conv2d(i, s, w, PackedMatrix(ElementType::u8, 83, 16)), Error);
  EXPECT_THROW(conv2d(i, s, PackedMatrix(ElementType::s8, 9, 100), x), Error);
  ConvShape large = s;
  large.kernel_h = 20;
  EXPECT_THROW(conv2d(i, large, w, x), Error);
  large = s;
  large.stride = 0;
  EXPECT_THROW(conv2d(i, large, w, x), Error);
}

}  // namespace
}  // namespace twofour::emu
