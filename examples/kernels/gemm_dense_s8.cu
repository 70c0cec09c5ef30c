// s8 GEMM with s32 accumulators that wrap, and with accumulators that clamp (gemm_dense.cuh).
#include "gemm_dense.cuh"

extern "C" __global__ void __launch_bounds__(128)
gemm_dense_s8(const int8_t* a, const int8_t* b, const int* c, int* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_dense_shared<64>];
  gemm_dense<MmaS8, 64>(tiles, a, b, c, d, n, k);
}

// Clamps after every instruction, not once at the end.
extern "C" __global__ void __launch_bounds__(128)
gemm_dense_s8_satfinite(const int8_t* a, const int8_t* b, const int* c, int* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_dense_shared<64>];
  gemm_dense<MmaS8Clamped, 64>(tiles, a, b, c, d, n, k);
}

// Tile 128 x 128. Dynamic shared memory: 98,304 bytes.
extern "C" __global__ void __launch_bounds__(128)
gemm_dense_s8_128x128(const int8_t* a, const int8_t* b, const int* c, int* d, int m, int n, int k) {
  extern __shared__ __align__(128) char dynamic_tiles[];
  gemm_dense<MmaS8, 128, 128, 128>(dynamic_tiles, a, b, c, d, n, k);
}
