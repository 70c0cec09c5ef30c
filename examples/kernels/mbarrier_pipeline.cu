// A pipeline of two stages that waits on mbarriers instead of cp.async groups: cp.async.mbarrier.arrive.noinc makes a
// thread's copies arrive at the barrier of their stage, and everyone polls that barrier's phase.
//
// y[i] = sum over rows r of r-th row's element i, times r + 1 (32-bit wrap-around). x: rows x 512 words; one CTA of 128
// threads, a thread 4 words of a row.
#include "ptx_ops.cuh"

namespace {
__device__ void wait_for_phase(uint32_t barrier, int parity) {
  uint32_t done = 0;
  while (!done)
    asm volatile(
        "{\n"
        "  .reg .pred %%p;\n"
        "  mbarrier.test_wait.parity.shared.b64 %%p, [%1], %2;\n"
        "  selp.b32 %0, 1, 0, %%p;\n"
        "}"
        : "=r"(done)
        : "r"(barrier), "r"(parity)
        : "memory");
}
__device__ void arrive_when_copied(uint32_t barrier) {
  asm volatile("cp.async.mbarrier.arrive.noinc.shared.b64 [%0];" ::"r"(barrier) : "memory");
}
}  // namespace

extern "C" __global__ void __launch_bounds__(128) mbarrier_pipeline(const int* x, int* y, int rows) {
  __shared__ __align__(16) int stage[2][512];
  __shared__ __align__(8) uint64_t barriers[2];
  const uint32_t barrier = shared_address(barriers);
  const int word = threadIdx.x * 4;
  if (threadIdx.x < 2)
    asm volatile("mbarrier.init.shared.b64 [%0], 128;" ::"r"(barrier + threadIdx.x * 8) : "memory");
  __syncthreads();

  const auto fetch = [&](int row) {
    if (row >= rows) return;
    // The word that lane 127 - i copied is read by thread i, so that every thread needs the barrier.
    const int other = (127 - threadIdx.x) * 4;
    cp_async_16(shared_address(&stage[row % 2][other]), x + row * 512 + other);
    arrive_when_copied(barrier + row % 2 * 8);
  };
  fetch(0);
  int4 sum = make_int4(0, 0, 0, 0);
  for (int row = 0; row < rows; ++row) {
    fetch(row + 1);
    wait_for_phase(barrier + row % 2 * 8, row / 2 & 1);
    const int4 value = *reinterpret_cast<const int4*>(&stage[row % 2][word]);
    sum.x += value.x * (row + 1);
    sum.y += value.y * (row + 1);
    sum.z += value.z * (row + 1);
    sum.w += value.w * (row + 1);
    __syncthreads();  // done with this stage before the next turn fetches into it
  }
  if (threadIdx.x < 2) asm volatile("mbarrier.inval.shared.b64 [%0];" ::"r"(barrier + threadIdx.x * 8) : "memory");
  *reinterpret_cast<int4*>(y + word) = sum;
}
