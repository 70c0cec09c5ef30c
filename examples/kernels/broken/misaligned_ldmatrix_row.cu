// memcheck: rows of 24 bytes, so that every second address that ldmatrix gets is not a multiple of 16.
#include "ptx_ops.cuh"

extern "C" __global__ void misaligned_ldmatrix_row(const uint32_t* x, uint32_t* y) {
  __shared__ __align__(128) uint32_t tile[32 * 6];
  for (int i = threadIdx.x; i < 32 * 6; i += 32) tile[i] = x[i];
  __syncthreads();
  uint32_t r[4];
  ldmatrix_x4(r, shared_address(tile + threadIdx.x * 6));
  for (int i = 0; i < 4; ++i) y[threadIdx.x * 4 + i] = r[i];
}
