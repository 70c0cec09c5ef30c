// f16 2:4-sparse GEMM (gemm_sparse.cuh), metadata two rows a word:
//   m16n8k32 (selectors 0 and 1), f32 and f16 accumulators, codes row-wise: one register serves two instructions
//   m16n8k16 (selectors 0 to 3), the same register serves four
//   mma.sp::ordered_metadata, which asks for codes in ascending order
//   m16n8k32 with ready-made `e` words, for selector 0 and for selector 1
#include <cuda_fp16.h>

#include "gemm_sparse.cuh"

extern "C" __global__ void __launch_bounds__(128)
gemm_sparse_f16_f32(const __half* a, const uint8_t* codes, const __half* b, const float* c, float* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_sparse_shared<>];
  gemm_sparse_codes<MmaSpF16>(tiles, a, codes, b, c, d, n, k / 4, k);
}

extern "C" __global__ void __launch_bounds__(128)
gemm_sparse_f16_f16(const __half* a, const uint8_t* codes, const __half* b, const __half* c, __half* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_sparse_shared<>];
  gemm_sparse_codes<MmaSpF16F16>(tiles, a, codes, b, c, d, n, k / 4, k);
}

extern "C" __global__ void __launch_bounds__(128)
gemm_sparse_f16_k16(const __half* a, const uint8_t* codes, const __half* b, const float* c, float* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_sparse_shared<>];
  gemm_sparse_codes<MmaSpF16Half>(tiles, a, codes, b, c, d, n, k / 4, k);
}

extern "C" __global__ void __launch_bounds__(128)
gemm_sparse_f16_ordered(const __half* a, const uint8_t* codes, const __half* b, const float* c, float* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_sparse_shared<>];
  gemm_sparse_codes<MmaSpF16Ordered>(tiles, a, codes, b, c, d, n, k / 4, k);
}

extern "C" __global__ void __launch_bounds__(128)
gemm_sparse_f16_words0(const __half* a, const uint32_t* e, const __half* b, const float* c, float* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_sparse_shared<>];
  gemm_sparse_words<MmaSpF16, 0>(tiles, a, e, b, c, d, n, k);
}

extern "C" __global__ void __launch_bounds__(128)
gemm_sparse_f16_words1(const __half* a, const uint32_t* e, const __half* b, const float* c, float* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_sparse_shared<>];
  gemm_sparse_words<MmaSpF16, 1>(tiles, a, e, b, c, d, n, k);
}

// Tile 128 x 128, metadata of layout `ptx` for selector 0. Dynamic shared memory: 147,456 bytes.
extern "C" __global__ void __launch_bounds__(128)
gemm_sparse_f16_f32_128x128(const __half* a, const uint32_t* e, const __half* b, const float* c, float* d, int m, int n, int k) {
  extern __shared__ __align__(128) char dynamic_tiles[];
  gemm_sparse_words<MmaSpF16, 0, 128, 128>(dynamic_tiles, a, e, b, c, d, n, k);
}
