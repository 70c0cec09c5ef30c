// s8 2:4-sparse GEMM (gemm_sparse.cuh), metadata a row a word: m16n8k64 (selector 0 alone) and m16n8k32 (0 and 1).
#include "gemm_sparse.cuh"

extern "C" __global__ void __launch_bounds__(128)
gemm_sparse_s8(const int8_t* a, const uint8_t* codes, const int8_t* b, const int* c, int* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_sparse_shared<>];
  gemm_sparse_codes<MmaSpS8>(tiles, a, codes, b, c, d, n, k / 4, k / 2);
}

extern "C" __global__ void __launch_bounds__(128)
gemm_sparse_s8_k32(const int8_t* a, const uint8_t* codes, const int8_t* b, const int* c, int* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_sparse_shared<>];
  gemm_sparse_codes<MmaSpS8Half>(tiles, a, codes, b, c, d, n, k / 4, k / 2);
}

extern "C" __global__ void __launch_bounds__(128)
gemm_sparse_s8_words(const int8_t* a, const uint32_t* e, const int8_t* b, const int* c, int* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_sparse_shared<>];
  gemm_sparse_words<MmaSpS8, 0>(tiles, a, e, b, c, d, n, k / 2);
}

// Tile 128 x 128, metadata of layout `ptx` for selector 0. Dynamic shared memory: 147,456 bytes.
extern "C" __global__ void __launch_bounds__(128)
gemm_sparse_s8_128x128(const int8_t* a, const uint32_t* e, const int8_t* b, const int* c, int* d, int m, int n, int k) {
  extern __shared__ __align__(128) char dynamic_tiles[];
  gemm_sparse_words<MmaSpS8, 0, 128, 128>(dynamic_tiles, a, e, b, c, d, n, k / 2);
}
