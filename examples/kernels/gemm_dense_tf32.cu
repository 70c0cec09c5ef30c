// tf32 GEMM (gemm_dense.cuh): ldmatrix moves each f32 word as two 16-bit elements. A and B are f32 words, of which the
// instruction reads the top 19 bits.
#include "gemm_dense.cuh"

extern "C" __global__ void __launch_bounds__(128)
gemm_dense_tf32(const float* a, const float* b, const float* c, float* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_dense_shared<64>];
  gemm_dense<MmaTf32, 64>(tiles, a, b, c, d, n, size_t(k) * 4);
}

// Tile 128 x 128. Dynamic shared memory: 98,304 bytes.
extern "C" __global__ void __launch_bounds__(128)
gemm_dense_tf32_128x128(const float* a, const float* b, const float* c, float* d, int m, int n, int k) {
  extern __shared__ __align__(128) char dynamic_tiles[];
  gemm_dense<MmaTf32, 128, 128, 128>(dynamic_tiles, a, b, c, d, n, size_t(k) * 4);
}
