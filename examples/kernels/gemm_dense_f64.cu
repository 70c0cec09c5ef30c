// f64 GEMM: mma.m8n8k4, whose lanes hold one element of A and of B each. ldmatrix has no 64-bit form, so that
// fragments are plain 8-byte loads. 16 lanes read 4 rows of 32 bytes, one after the other: every bank once.
//
// D = A B + C; A is M x K, B is stored as its transpose N x K. A CTA of 4 warps computes 64 x 64, each warp 32 x 32.
// K is read 4 columns at a time, three of which are in shared memory.
//
// Order of k: ascending, a chain of fused multiply-adds from C.
#include "ptx_ops.cuh"

namespace {
constexpr int stages = 3;

__device__ void mma_f64(double (&d)[2], double a, double b) {
  asm volatile("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%0, %1}, {%2}, {%3}, {%0, %1};"
               : "+d"(d[0]), "+d"(d[1])
               : "d"(a), "d"(b));
}

// 64 rows of 4 columns: a thread copies half a row of A and half a row of B.
__device__ void fetch(double (&to)[64][4], const double* from, int k) {
  const int row = threadIdx.x / 2, half = threadIdx.x % 2;
  cp_async_16(shared_address(&to[row][2 * half]), from + size_t(row) * k + 2 * half);
}
}  // namespace

extern "C" __global__ void __launch_bounds__(128)
gemm_dense_f64(const double* a, const double* b, const double* c, double* d, int m, int n, int k) {
  __shared__ __align__(128) double tile_a[stages][64][4], tile_b[stages][64][4];
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, g = lane / 4, t = lane % 4;
  const int warp_row = warp / 2 * 32, warp_col = warp % 2 * 32;
  a += size_t(blockIdx.y) * 64 * k;
  b += size_t(blockIdx.x) * 64 * k;
  const size_t corner = (size_t(blockIdx.y) * 64 + warp_row) * n + blockIdx.x * 64 + warp_col;

  double acc[4][4][2];
#pragma unroll
  for (int i = 0; i < 4; ++i)
#pragma unroll
    for (int j = 0; j < 4; ++j)
#pragma unroll
      for (int e = 0; e < 2; ++e) acc[i][j][e] = c[corner + size_t(8 * i + g) * n + 8 * j + 2 * t + e];

  for (int chunk = 0; chunk < stages - 1; ++chunk) {
    if (4 * chunk < k) {
      fetch(tile_a[chunk], a + 4 * chunk, k);
      fetch(tile_b[chunk], b + 4 * chunk, k);
    }
    cp_async_commit();
  }
  for (int chunk = 0; 4 * chunk < k; ++chunk) {
    cp_async_wait<stages - 2>();
    __syncthreads();
    const int next = chunk + stages - 1;
    if (4 * next < k) {
      fetch(tile_a[next % stages], a + 4 * next, k);
      fetch(tile_b[next % stages], b + 4 * next, k);
    }
    cp_async_commit();
    double fragment_a[4], fragment_b[4];
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      fragment_a[i] = tile_a[chunk % stages][warp_row + 8 * i + g][t];
      fragment_b[i] = tile_b[chunk % stages][warp_col + 8 * i + g][t];
    }
#pragma unroll
    for (int i = 0; i < 4; ++i)
#pragma unroll
      for (int j = 0; j < 4; ++j) mma_f64(acc[i][j], fragment_a[i], fragment_b[j]);
  }
  cp_async_wait<0>();
#pragma unroll
  for (int i = 0; i < 4; ++i)
#pragma unroll
    for (int j = 0; j < 4; ++j)
#pragma unroll
      for (int e = 0; e < 2; ++e) d[corner + size_t(8 * i + g) * n + 8 * j + 2 * t + e] = acc[i][j][e];
}
