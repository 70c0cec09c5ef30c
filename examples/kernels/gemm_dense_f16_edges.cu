// f16 GEMM of any M, N, and K a multiple of 8 (rows that start on 16 bytes): copies outside the matrices read no
// bytes, and cp.async fills shared memory with zeros there; loads and stores of C and D are predicated.
//
// K is filled up with zeros to a multiple of 32, and these zeros are multiplied.
#include <cuda_fp16.h>

#include "gemm_dense.cuh"

namespace {
struct CopyInside {
  const char* from;  // first byte of the tile's row 0
  size_t pitch;
  int rows, row_bytes;  // inside the matrix, from there
  __device__ void operator()(uint32_t to, int chunk) const {
    for (int i = threadIdx.x; i < 64 * 4; i += threads) {
      const int row = i / 4, unit = i % 4, byte = chunk * chunk_bytes + unit * 16;
      const bool inside = row < rows && byte < row_bytes;
      cp_async_16(to + swizzled<chunk_bytes>(row, unit), inside ? from + row * pitch + byte : from, inside ? 16 : 0);
    }
  }
};
}  // namespace

extern "C" __global__ void __launch_bounds__(128)
gemm_dense_f16_edges(const __half* a, const __half* b, const float* c, float* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_dense_shared<64>];
  const int row0 = blockIdx.y * 64, col0 = blockIdx.x * tile_n, row_bytes = k * 2;
  const size_t pitch = row_bytes;
  Accumulators<MmaF16, 64> acc;
  for_each_accumulator<MmaF16, 64>(acc, [&](float* r, size_t row, size_t col) {
    for (int i = 0; i < 2; ++i) {
      const bool inside = row0 + row < m && col0 + col + i < n;
      r[i] = inside ? c[size_t(row0 + row) * n + col0 + col + i] : 0.0f;
    }
  });
  multiply_chunks<MmaF16, 64>(
      acc, tiles, (row_bytes + chunk_bytes - 1) / chunk_bytes,
      CopyInside{reinterpret_cast<const char*>(a) + row0 * pitch, pitch, m - row0, row_bytes},
      CopyInside{reinterpret_cast<const char*>(b) + col0 * pitch, pitch, n - col0, row_bytes});
  for_each_accumulator<MmaF16, 64>(acc, [&](float* r, size_t row, size_t col) {
    for (int i = 0; i < 2; ++i)
      if (row0 + row < m && col0 + col + i < n) d[size_t(row0 + row) * n + col0 + col + i] = r[i];
  });
}
