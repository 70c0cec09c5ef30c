// u8 GEMM, and unsigned A with signed B, as a quantised layer has them (gemm_dense.cuh).
#include "gemm_dense.cuh"

extern "C" __global__ void __launch_bounds__(128)
gemm_dense_u8(const uint8_t* a, const uint8_t* b, const int* c, int* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_dense_shared<64>];
  gemm_dense<MmaU8, 64>(tiles, a, b, c, d, n, k);
}

extern "C" __global__ void __launch_bounds__(128)
gemm_dense_u8_s8(const uint8_t* a, const int8_t* b, const int* c, int* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_dense_shared<64>];
  gemm_dense<MmaU8S8, 64>(tiles, a, b, c, d, n, k);
}
