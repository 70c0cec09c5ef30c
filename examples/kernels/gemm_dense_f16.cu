// f16 GEMM with f32 and with f16 accumulators (gemm_dense.cuh). Tile 64 x 64 and, in dynamic shared memory, 128 x 64.
#include <cuda_fp16.h>

#include "gemm_dense.cuh"

extern "C" __global__ void __launch_bounds__(128)
gemm_dense_f16_f32(const __half* a, const __half* b, const float* c, float* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_dense_shared<64>];
  gemm_dense<MmaF16, 64>(tiles, a, b, c, d, n, size_t(k) * 2);
}

extern "C" __global__ void __launch_bounds__(128)
gemm_dense_f16_f16(const __half* a, const __half* b, const __half* c, __half* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_dense_shared<64>];
  gemm_dense<MmaF16F16, 64>(tiles, a, b, c, d, n, size_t(k) * 2);
}

// Dynamic shared memory: 36,864 bytes.
extern "C" __global__ void __launch_bounds__(128)
gemm_dense_f16_f32_128x64(const __half* a, const __half* b, const float* c, float* d, int m, int n, int k) {
  extern __shared__ __align__(128) char dynamic_tiles[];
  gemm_dense<MmaF16, 128>(dynamic_tiles, a, b, c, d, n, size_t(k) * 2);
}

// Tile 128 x 128: 64 x 64 a warp, the most products for what is loaded. Dynamic shared memory: 98,304 bytes.
extern "C" __global__ void __launch_bounds__(128)
gemm_dense_f16_f32_128x128(const __half* a, const __half* b, const float* c, float* d, int m, int n, int k) {
  extern __shared__ __align__(128) char dynamic_tiles[];
  gemm_dense<MmaF16, 128, 128, 128>(dynamic_tiles, a, b, c, d, n, size_t(k) * 2);
}

extern "C" __global__ void __launch_bounds__(128)
gemm_dense_f16_f16_128x128(const __half* a, const __half* b, const __half* c, __half* d, int m, int n, int k) {
  extern __shared__ __align__(128) char dynamic_tiles[];
  gemm_dense<MmaF16F16, 128, 128, 128>(dynamic_tiles, a, b, c, d, n, size_t(k) * 2);
}
