// s4 GEMM (gemm_dense.cuh). A byte holds two elements, the lower column in its low nibble.
#include "gemm_dense.cuh"

extern "C" __global__ void __launch_bounds__(128)
gemm_dense_s4(const uint8_t* a, const uint8_t* b, const int* c, int* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_dense_shared<64>];
  gemm_dense<MmaS4, 64>(tiles, a, b, c, d, n, k / 2);
}

// Tile 128 x 128. Dynamic shared memory: 98,304 bytes.
extern "C" __global__ void __launch_bounds__(128)
gemm_dense_s4_128x128(const uint8_t* a, const uint8_t* b, const int* c, int* d, int m, int n, int k) {
  extern __shared__ __align__(128) char dynamic_tiles[];
  gemm_dense<MmaS4, 128, 128, 128>(dynamic_tiles, a, b, c, d, n, k / 2);
}
