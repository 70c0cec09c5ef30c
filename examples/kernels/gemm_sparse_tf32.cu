// tf32 1:2-sparse GEMM (gemm_sparse.cuh): one of two columns is kept, code 0x4 or 0xE. Metadata two rows a word;
// m16n8k16 (selectors 0 and 1) and m16n8k8 (0 to 3).
#include "gemm_sparse.cuh"

extern "C" __global__ void __launch_bounds__(128)
gemm_sparse_tf32(const float* a, const uint8_t* codes, const float* b, const float* c, float* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_sparse_shared<>];
  gemm_sparse_codes<MmaSpTf32>(tiles, a, codes, b, c, d, n, k / 2, size_t(k) * 2);
}

extern "C" __global__ void __launch_bounds__(128)
gemm_sparse_tf32_k8(const float* a, const uint8_t* codes, const float* b, const float* c, float* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_sparse_shared<>];
  gemm_sparse_codes<MmaSpTf32Half>(tiles, a, codes, b, c, d, n, k / 2, size_t(k) * 2);
}

extern "C" __global__ void __launch_bounds__(128)
gemm_sparse_tf32_words0(const float* a, const uint32_t* e, const float* b, const float* c, float* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_sparse_shared<>];
  gemm_sparse_words<MmaSpTf32, 0>(tiles, a, e, b, c, d, n, size_t(k) * 2);
}

// Tile 128 x 128, metadata of layout `ptx` for selector 0. Dynamic shared memory: 147,456 bytes.
extern "C" __global__ void __launch_bounds__(128)
gemm_sparse_tf32_128x128(const float* a, const uint32_t* e, const float* b, const float* c, float* d, int m, int n, int k) {
  extern __shared__ __align__(128) char dynamic_tiles[];
  gemm_sparse_words<MmaSpTf32, 0, 128, 128>(dynamic_tiles, a, e, b, c, d, n, size_t(k) * 2);
}
