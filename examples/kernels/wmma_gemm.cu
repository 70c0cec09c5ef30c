// GEMM through nvcuda::wmma: fragments straight from global memory, one warp a tile of 16 x 16, four warps a CTA side
// by side. A is row-major, B is stored as its transpose (N x K), so col-major; D = A B. grid: (N / 64, M / 16).
//
// Order of k: ascending; wmma.mma of 16 x 16 x 16 is two mma of 16 x 8 x 16, so the bits are those of mma.
#include <cuda_fp16.h>
#include <mma.h>

namespace wmma = nvcuda::wmma;

namespace {
template <class Element, class Accumulator>
__device__ void multiply(const Element* a, const Element* b, Accumulator* d, int n, int k) {
  wmma::fragment<wmma::matrix_a, 16, 16, 16, Element, wmma::row_major> fragment_a;
  wmma::fragment<wmma::matrix_b, 16, 16, 16, Element, wmma::col_major> fragment_b;
  wmma::fragment<wmma::accumulator, 16, 16, 16, Accumulator> acc;
  const int row = blockIdx.y * 16, col = blockIdx.x * 64 + threadIdx.x / 32 * 16;
  wmma::fill_fragment(acc, Accumulator(0));
  for (int at = 0; at < k; at += 16) {
    wmma::load_matrix_sync(fragment_a, a + size_t(row) * k + at, k);
    wmma::load_matrix_sync(fragment_b, b + size_t(col) * k + at, k);
    wmma::mma_sync(acc, fragment_a, fragment_b, acc);
  }
  wmma::store_matrix_sync(d + size_t(row) * n + col, acc, n, wmma::mem_row_major);
}
}  // namespace

extern "C" __global__ void wmma_gemm_f16(const __half* a, const __half* b, float* d, int n, int k) {
  multiply(a, b, d, n, k);
}

extern "C" __global__ void wmma_gemm_s8(const signed char* a, const signed char* b, int* d, int n, int k) {
  multiply(a, b, d, n, k);
}

// A and C in shared memory: wmma.load and wmma.store of the shared space, f16 accumulators. M = 16, one warp.
extern "C" __global__ void wmma_shared_f16(const __half* a, const __half* b, __half* d, int n, int k) {
  __shared__ __align__(32) __half tile_a[16][16], tile_d[16][16];
  wmma::fragment<wmma::matrix_a, 16, 16, 16, __half, wmma::row_major> fragment_a;
  wmma::fragment<wmma::matrix_b, 16, 16, 16, __half, wmma::col_major> fragment_b;
  wmma::fragment<wmma::accumulator, 16, 16, 16, __half> acc;
  const int col = blockIdx.x * 16;
  wmma::fill_fragment(acc, __half(0.0f));
  for (int at = 0; at < k; at += 16) {
    for (int i = threadIdx.x; i < 256; i += 32) tile_a[i / 16][i % 16] = a[i / 16 * k + at + i % 16];
    __syncwarp();
    wmma::load_matrix_sync(fragment_a, &tile_a[0][0], 16);
    wmma::load_matrix_sync(fragment_b, b + size_t(col) * k + at, k);
    wmma::mma_sync(acc, fragment_a, fragment_b, acc);
    __syncwarp();
  }
  wmma::store_matrix_sync(&tile_d[0][0], acc, 16, wmma::mem_row_major);
  __syncwarp();
  for (int i = threadIdx.x; i < 256; i += 32) d[i / 16 * n + col + i % 16] = tile_d[i / 16][i % 16];
}
