// bf16 GEMM with f32 accumulators (gemm_dense.cuh).
#include <cuda_bf16.h>

#include "gemm_dense.cuh"

extern "C" __global__ void __launch_bounds__(128)
gemm_dense_bf16(const __nv_bfloat16* a, const __nv_bfloat16* b, const float* c, float* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_dense_shared<64>];
  gemm_dense<MmaBf16, 64>(tiles, a, b, c, d, n, size_t(k) * 2);
}

// Tile 128 x 128. Dynamic shared memory: 98,304 bytes.
extern "C" __global__ void __launch_bounds__(128)
gemm_dense_bf16_128x128(const __nv_bfloat16* a, const __nv_bfloat16* b, const float* c, float* d, int m, int n, int k) {
  extern __shared__ __align__(128) char dynamic_tiles[];
  gemm_dense<MmaBf16, 128, 128, 128>(dynamic_tiles, a, b, c, d, n, size_t(k) * 2);
}
