// Single bits (gemm_dense.cuh): D = C + the number of ones in A and B, or in A xor B. A byte holds eight elements, the
// lowest column in bit 0.
#include "gemm_dense.cuh"

extern "C" __global__ void __launch_bounds__(128)
gemm_dense_b1_and(const uint8_t* a, const uint8_t* b, const int* c, int* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_dense_shared<64>];
  gemm_dense<MmaB1And, 64>(tiles, a, b, c, d, n, k / 8);
}

extern "C" __global__ void __launch_bounds__(128)
gemm_dense_b1_xor(const uint8_t* a, const uint8_t* b, const int* c, int* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_dense_shared<64>];
  gemm_dense<MmaB1Xor, 64>(tiles, a, b, c, d, n, k / 8);
}

// Tile 128 x 128. Dynamic shared memory: 98,304 bytes.
extern "C" __global__ void __launch_bounds__(128)
gemm_dense_b1_xor_128x128(const uint8_t* a, const uint8_t* b, const int* c, int* d, int m, int n, int k) {
  extern __shared__ __align__(128) char dynamic_tiles[];
  gemm_dense<MmaB1Xor, 128, 128, 128>(dynamic_tiles, a, b, c, d, n, k / 8);
}
