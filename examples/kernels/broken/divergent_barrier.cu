// synccheck: half of each warp meets __syncthreads, the other half never does.

extern "C" __global__ void divergent_barrier(const int* x, int* y) {
  __shared__ int tile[128];
  tile[threadIdx.x] = x[threadIdx.x];
  if (threadIdx.x % 32 < 16) {
    __syncthreads();
    y[threadIdx.x] = tile[(threadIdx.x + 32) % 128];
  }
}
