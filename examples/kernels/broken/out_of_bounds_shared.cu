// memcheck: 128 threads write a shared array of 96 words, the last array of the CTA's.

extern "C" __global__ void out_of_bounds_shared(const int* x, int* y, int shift) {
  __shared__ int tile[96];
  tile[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  y[threadIdx.x] = tile[(threadIdx.x + shift) % 96];
}
