// bankcheck: rows of 128 bytes without a swizzle: the 8 rows of each matrix that ldmatrix reads lie in the same 4 banks, so
// that a phase takes 8 turns instead of 1.
#include "ptx_ops.cuh"

extern "C" __global__ void bank_conflicts(const uint4* x, uint32_t* y) {
  __shared__ __align__(128) uint4 tile[32 * 8];
  for (int i = threadIdx.x; i < 32 * 8; i += 32) tile[i] = x[i];
  __syncthreads();
  uint32_t r[4];
  ldmatrix_x4(r, shared_address(tile + threadIdx.x * 8));
  for (int i = 0; i < 4; ++i) y[threadIdx.x * 4 + i] = r[i];
}
