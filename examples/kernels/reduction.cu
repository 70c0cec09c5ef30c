// Sums of 256 elements a CTA: shuffles inside a warp, shared memory between warps; and redux, one instruction for a
// whole warp of integers.

// sums[block] = the sum of its 256 values. Order: lane i takes lane i + 16, then + 8, + 4, + 2, + 1; then the 8 warps in
// the same way.
extern "C" __global__ void __launch_bounds__(256) reduction_f32(const float* x, float* sums) {
  __shared__ float parts[8];
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  float sum = x[blockIdx.x * 256 + threadIdx.x];
#pragma unroll
  for (int step = 16; step > 0; step /= 2) sum = __fadd_rn(sum, __shfl_down_sync(0xffffffff, sum, step));
  if (lane == 0) parts[warp] = sum;
  __syncthreads();
  if (warp == 0) {
    sum = lane < 8 ? parts[lane] : 0.0f;
#pragma unroll
    for (int step = 4; step > 0; step /= 2) sum = __fadd_rn(sum, __shfl_down_sync(0xffffffff, sum, step));
    if (lane == 0) sums[blockIdx.x] = sum;
  }
}

// Seven results of each warp's 32 values: sum, signed min and max, unsigned min and max, and, xor.
extern "C" __global__ void reduction_redux(const int* x, int* results) {
  const int warp = (blockIdx.x * blockDim.x + threadIdx.x) / 32, value = x[blockIdx.x * blockDim.x + threadIdx.x];
  const unsigned bits = static_cast<unsigned>(value), all = 0xffffffff;
  const int found[7] = {__reduce_add_sync(all, value),
                        __reduce_min_sync(all, value),
                        __reduce_max_sync(all, value),
                        static_cast<int>(__reduce_min_sync(all, bits)),
                        static_cast<int>(__reduce_max_sync(all, bits)),
                        static_cast<int>(__reduce_and_sync(all, bits)),
                        static_cast<int>(__reduce_xor_sync(all, bits))};
  if (threadIdx.x % 32 == 0)
    for (int i = 0; i < 7; ++i) results[warp * 7 + i] = found[i];
}
