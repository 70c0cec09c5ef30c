// racecheck: the copies are committed, and a barrier passed, but nobody waits for the group.
#include "ptx_ops.cuh"

extern "C" __global__ void cp_async_before_wait(const uint4* x, uint4* y) {
  __shared__ __align__(16) uint4 tile[128];
  cp_async_16(shared_address(&tile[threadIdx.x]), x + threadIdx.x);
  cp_async_commit();
  __syncthreads();
  y[threadIdx.x] = tile[127 - threadIdx.x];
}
