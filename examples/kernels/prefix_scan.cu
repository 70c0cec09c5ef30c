// Inclusive prefix sums of a CTA's 512 elements: shuffles inside a warp, then the sums of the 16 warps, scanned by the
// first of them.
//
// Order of the additions: step 1, 2, 4, 8, 16: each lane adds the value `step` lanes below; the warps' sums in
// the same way; last the sum of all warps before.

namespace {
template <class T>
__device__ T scan_warp(T value) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int step = 1; step < 32; step *= 2) {
    const T below = __shfl_up_sync(0xffffffff, value, step);
    if (lane >= step) value += below;
  }
  return value;
}

template <class T>
__device__ void scan(const T* x, T* y, T* parts) {
  const int at = blockIdx.x * 512 + threadIdx.x, lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const T value = scan_warp(x[at]);
  if (lane == 31) parts[warp] = value;
  __syncthreads();
  if (warp == 0) {
    const T sum = scan_warp(lane < 16 ? parts[lane] : T(0));
    if (lane < 16) parts[lane] = sum;
  }
  __syncthreads();
  y[at] = warp == 0 ? value : parts[warp - 1] + value;
}
}  // namespace

extern "C" __global__ void __launch_bounds__(512) prefix_scan_s32(const int* x, int* y) {
  __shared__ int parts[16];
  scan(x, y, parts);
}

extern "C" __global__ void __launch_bounds__(512) prefix_scan_f32(const float* x, float* y) {
  __shared__ float parts[16];
  scan(x, y, parts);
}
