// bf16 2:4-sparse GEMM (gemm_sparse.cuh), metadata two rows a word, row-wise codes and ready-made words.
#include <cuda_bf16.h>

#include "gemm_sparse.cuh"

extern "C" __global__ void __launch_bounds__(128)
gemm_sparse_bf16(const __nv_bfloat16* a, const uint8_t* codes, const __nv_bfloat16* b, const float* c, float* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_sparse_shared<>];
  gemm_sparse_codes<MmaSpBf16>(tiles, a, codes, b, c, d, n, k / 4, k);
}

extern "C" __global__ void __launch_bounds__(128)
gemm_sparse_bf16_words1(const __nv_bfloat16* a, const uint32_t* e, const __nv_bfloat16* b, const float* c, float* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_sparse_shared<>];
  gemm_sparse_words<MmaSpBf16, 1>(tiles, a, e, b, c, d, n, k);
}

// Tile 128 x 128, metadata of layout `ptx` for selector 0. Dynamic shared memory: 147,456 bytes.
extern "C" __global__ void __launch_bounds__(128)
gemm_sparse_bf16_128x128(const __nv_bfloat16* a, const uint32_t* e, const __nv_bfloat16* b, const float* c, float* d, int m, int n, int k) {
  extern __shared__ __align__(128) char dynamic_tiles[];
  gemm_sparse_words<MmaSpBf16, 0, 128, 128>(dynamic_tiles, a, e, b, c, d, n, k);
}
