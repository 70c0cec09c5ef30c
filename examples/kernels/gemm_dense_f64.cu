// f64 GEMM: mma.m8n8k4, whose lanes hold one element of A and of B each. ldmatrix has no 64-bit form, so that
// fragments are plain 8-byte loads. 16 lanes read 4 rows of 32 bytes, swizzled: every bank once.
//
// D = A B + C; A is M x K, B is stored as its transpose N x K. A CTA of 4 warps computes 64 x 64, each warp 32 x 32.
// K is read 16 columns at a time, three of which are in shared memory.
//
// Order of k: ascending, a chain of fused multiply-adds from C.
#include "ptx_ops.cuh"

namespace {
constexpr int stages = 3, threads = 128, tile = 64, row_bytes = 128, operand_bytes = tile * row_bytes;

__device__ void mma_f64(double (&d)[2], double a, double b) {
  asm volatile("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%0, %1}, {%2}, {%3}, {%0, %1};"
               : "+d"(d[0]), "+d"(d[1])
               : "d"(a), "d"(b));
}
}  // namespace

extern "C" __global__ void __launch_bounds__(threads)
gemm_dense_f64(const double* a, const double* b, const double* c, double* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[stages * 2 * operand_bytes];
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, g = lane / 4, t = lane % 4;
  const int warp_row = warp / 2 * 32, warp_col = warp % 2 * 32;
  const size_t pitch = size_t(k) * 8;
  const CopyTile<tile, row_bytes, threads, true> copy_a(reinterpret_cast<const char*>(a) + blockIdx.y * tile * pitch, pitch);
  const CopyTile<tile, row_bytes, threads, true> copy_b(reinterpret_cast<const char*>(b) + blockIdx.x * tile * pitch, pitch);
  const uint32_t base = shared_address(tiles);
  const auto fetch = [&](int chunk) {  // every turn commits a group, be it empty, so that the counts agree
    if (16 * chunk < k) {
      const uint32_t stage = base + chunk % stages * 2 * operand_bytes;
      copy_a(stage, chunk);
      copy_b(stage + operand_bytes, chunk);
    }
    cp_async_commit();
  };
  // Of a lane's elements; those of later columns are exchanged by XOR.
  const uint32_t from_a = swizzled<row_bytes, true>(warp_row + g, t / 2) + t % 2 * 8;
  const uint32_t from_b = operand_bytes + swizzled<row_bytes, true>(warp_col + g, t / 2) + t % 2 * 8;
  const size_t corner = (size_t(blockIdx.y) * tile + warp_row + g) * n + blockIdx.x * tile + warp_col + 2 * t;

  double acc[4][4][2];
#pragma unroll
  for (int i = 0; i < 4; ++i)
#pragma unroll
    for (int j = 0; j < 4; ++j)
#pragma unroll
      for (int e = 0; e < 2; ++e) acc[i][j][e] = c[corner + size_t(8 * i) * n + 8 * j + e];

  for (int chunk = 0; chunk < stages - 1; ++chunk) fetch(chunk);
  for (int chunk = 0; 16 * chunk < k; ++chunk) {
    cp_async_wait<stages - 2>();
    __syncthreads();
    fetch(chunk + stages - 1);
    const char* const stage = tiles + chunk % stages * 2 * operand_bytes;
#pragma unroll
    for (int step = 0; step < 4; ++step) {
      double fragment_a[4], fragment_b[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        fragment_a[i] = *reinterpret_cast<const double*>(stage + (from_a ^ 32 * step) + i * 8 * row_bytes);
        fragment_b[i] = *reinterpret_cast<const double*>(stage + (from_b ^ 32 * step) + i * 8 * row_bytes);
      }
#pragma unroll
      for (int i = 0; i < 4; ++i)
#pragma unroll
        for (int j = 0; j < 4; ++j) mma_f64(acc[i][j], fragment_a[i], fragment_b[j]);
    }
  }
  cp_async_wait<0>();
#pragma unroll
  for (int i = 0; i < 4; ++i)
#pragma unroll
    for (int j = 0; j < 4; ++j)
#pragma unroll
      for (int e = 0; e < 2; ++e) d[corner + size_t(8 * i) * n + 8 * j + e] = acc[i][j][e];
}
