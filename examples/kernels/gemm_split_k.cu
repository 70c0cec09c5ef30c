// f16 GEMM whose k is split over blockIdx.z, on the tiles of gemm_dense.cuh: D = A B.
//   gemm_split_k_atomic   adds its part to D with atomicAdd, in any order: D starts as zeros, and with more than two
//                         parts its bits depend on who comes first
//   gemm_split_k_partial  writes its part to a workspace of parts x M x N; gemm_split_k_sum adds these in order
// k is a multiple of 32 * parts. grid: (N / 64, M / 64, parts).
#include <cuda_fp16.h>

#include "gemm_dense.cuh"

namespace {
__device__ void multiply_part(Accumulators<MmaF16, 64>& acc, char* shared, const __half* a, const __half* b, int k) {
  const size_t pitch = size_t(k) * 2, part_bytes = pitch / gridDim.z, at = part_bytes * blockIdx.z;
  multiply_chunks<MmaF16, 64>(
      acc, shared, int(part_bytes / chunk_bytes),
      CopyRows<64>(reinterpret_cast<const char*>(a) + size_t(blockIdx.y) * 64 * pitch + at, pitch),
      CopyRows<tile_n>(reinterpret_cast<const char*>(b) + size_t(blockIdx.x) * tile_n * pitch + at, pitch));
}
}  // namespace

extern "C" __global__ void __launch_bounds__(128)
gemm_split_k_atomic(const __half* a, const __half* b, float* d, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_dense_shared<64>];
  Accumulators<MmaF16, 64> acc = {};
  multiply_part(acc, tiles, a, b, k);
  for_each_accumulator<MmaF16, 64>(acc, [&](float* r, size_t row, size_t col) {
    float* to = d + size_t(blockIdx.y * 64 + row) * n + blockIdx.x * tile_n + col;
    atomicAdd(to, r[0]);
    atomicAdd(to + 1, r[1]);
  });
}

extern "C" __global__ void __launch_bounds__(128)
gemm_split_k_partial(const __half* a, const __half* b, float* parts, int m, int n, int k) {
  __shared__ __align__(128) char tiles[gemm_dense_shared<64>];
  Accumulators<MmaF16, 64> acc = {};
  multiply_part(acc, tiles, a, b, k);
  parts += size_t(blockIdx.z) * m * n;
  for_each_accumulator<MmaF16, 64>(acc, [&](float* r, size_t row, size_t col) {
    float* to = parts + size_t(blockIdx.y * 64 + row) * n + blockIdx.x * tile_n + col;
    to[0] = r[0];
    to[1] = r[1];
  });
}

// One thread an element, part 0 first.
extern "C" __global__ void gemm_split_k_sum(const float* parts, float* d, int elements, int count) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= elements) return;
  float sum = parts[i];
  for (int part = 1; part < count; ++part) sum = __fadd_rn(sum, parts[size_t(part) * elements + i]);
  d[i] = sum;
}
