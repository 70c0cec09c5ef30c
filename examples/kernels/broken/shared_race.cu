// racecheck: no __syncthreads between the writes of one warp and the reads of another.

extern "C" __global__ void shared_race(const int* x, int* y) {
  __shared__ int tile[128];
  tile[threadIdx.x] = x[threadIdx.x];
  y[threadIdx.x] = tile[127 - threadIdx.x];
}
