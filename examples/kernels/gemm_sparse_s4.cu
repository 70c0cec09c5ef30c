// s4 4:8-sparse GEMM in pairs (gemm_sparse.cuh): two of four pairs of columns are kept. Metadata a row a word; m16n8k128
// (selector 0 alone) and m16n8k64 (0 and 1). A byte holds two elements, the lower column in its low nibble.
#include "gemm_sparse.cuh"

extern "C" __global__ void __launch_bounds__(128)
gemm_sparse_s4(const uint8_t* a, const uint8_t* codes, const uint8_t* b, const int* c, int* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_sparse_shared<>];
  gemm_sparse_codes<MmaSpS4>(tiles, a, codes, b, c, d, n, k / 8, k / 4);
}

extern "C" __global__ void __launch_bounds__(128)
gemm_sparse_s4_k64(const uint8_t* a, const uint8_t* codes, const uint8_t* b, const int* c, int* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_sparse_shared<>];
  gemm_sparse_codes<MmaSpS4Half>(tiles, a, codes, b, c, d, n, k / 8, k / 4);
}

extern "C" __global__ void __launch_bounds__(128)
gemm_sparse_s4_words(const uint8_t* a, const uint32_t* e, const uint8_t* b, const int* c, int* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_sparse_shared<>];
  gemm_sparse_words<MmaSpS4, 0>(tiles, a, e, b, c, d, n, k / 4);
}

// Tile 128 x 128, metadata of layout `ptx` for selector 0. Dynamic shared memory: 147,456 bytes.
extern "C" __global__ void __launch_bounds__(128)
gemm_sparse_s4_128x128(const uint8_t* a, const uint32_t* e, const uint8_t* b, const int* c, int* d, int m, int n, int k) {
  extern __shared__ __align__(128) char dynamic_tiles[];
  gemm_sparse_words<MmaSpS4, 0, 128, 128>(dynamic_tiles, a, e, b, c, d, n, k / 4);
}
