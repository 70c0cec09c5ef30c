// 3 x 3 convolution with padding 1 and stride 1 as an implicit GEMM on the tiles of gemm_dense.cuh: rows are output
// pixels, columns output channels, k runs over (r, s, c) with c fastest. The im2col matrix is never stored: each
// chunk of k lies in one tap (r, s), and cp.async gathers its rows from the image, zeros outside.
//
// x: batch x height x width x channels (NHWC). w: out_channels x 3 x 3 x channels. y: NHWC accumulators. Channels
// are a multiple of 64 bytes, out_channels and batch * height * width of 64. grid: (out_channels / 64, pixels / 64).
#include <cuda_fp16.h>

#include "gemm_dense.cuh"

namespace {
struct CopyPixels {
  const char* image;
  int first, height, width, channel_bytes;
  __device__ void operator()(uint32_t to, int chunk) const {
    const int at = chunk * chunk_bytes, tap = at / channel_bytes, channel = at % channel_bytes;
    for (int i = threadIdx.x; i < 64 * 4; i += threads) {
      const int row = i / 4, unit = i % 4, pixel = first + row;
      const int y = pixel / width % height + tap / 3 - 1, x = pixel % width + tap % 3 - 1;
      const bool inside = y >= 0 && y < height && x >= 0 && x < width;
      const int image_row = pixel / width / height * height + y;
      const char* from = image + (size_t(image_row) * width + x) * channel_bytes + channel + unit * 16;
      cp_async_16(to + swizzled<chunk_bytes>(row, unit), inside ? from : image, inside ? 16 : 0);
    }
  }
};

template <class Mma>
__device__ void convolve(char* shared, const void* x, const void* w, typename Mma::Register* y, int height, int width,
                         int channel_bytes, int out_channels) {
  using Register = typename Mma::Register;
  const size_t k_bytes = size_t(channel_bytes) * 9;
  const int row0 = blockIdx.y * 64, col0 = blockIdx.x * tile_n;
  Accumulators<Mma, 64> acc = {};
  multiply_chunks<Mma, 64>(acc, shared, int(k_bytes / chunk_bytes),
                           CopyPixels{static_cast<const char*>(x), row0, height, width, channel_bytes},
                           CopyRows<tile_n>(static_cast<const char*>(w) + col0 * k_bytes, k_bytes));
  for_each_accumulator<Mma, 64>(acc, [&](Register* r, size_t row, size_t col) {
    Register* to = y + size_t(row0 + row) * out_channels + col0 + col;
    to[0] = r[0];
    to[1] = r[1];
  });
}
}  // namespace

extern "C" __global__ void __launch_bounds__(128)
conv_implicit_gemm_f16(const __half* x, const __half* w, float* y, int height, int width, int channels,
                       int out_channels) {
  __shared__ __align__(128) char tiles[gemm_dense_shared<64>];
  convolve<MmaF16>(tiles, x, w, y, height, width, channels * 2, out_channels);
}

extern "C" __global__ void __launch_bounds__(128)
conv_implicit_gemm_s8(const int8_t* x, const int8_t* w, int* y, int height, int width, int channels, int out_channels) {
  __shared__ __align__(128) char tiles[gemm_dense_shared<64>];
  convolve<MmaS8>(tiles, x, w, y, height, width, channels, out_channels);
}
