// initcheck: 24 of the 32 rows that ldmatrix reads were written.
#include "ptx_ops.cuh"

extern "C" __global__ void uninitialised_shared(const uint4* x, uint32_t* y) {
  __shared__ __align__(128) uint4 tile[32];
  if (threadIdx.x < 24) tile[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  uint32_t r[4];
  ldmatrix_x4(r, shared_address(tile + threadIdx.x));
  for (int i = 0; i < 4; ++i) y[threadIdx.x * 4 + i] = r[i];
}
