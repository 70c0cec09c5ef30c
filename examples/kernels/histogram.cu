// Histogram of bytes: counts in shared memory by shared atomics, then added to the 256 global counts by global atomics.
// counts start as zeros. n: bytes; any grid.
#include <cstdint>

extern "C" __global__ void __launch_bounds__(256) histogram(const uint8_t* x, unsigned* counts, int n) {
  __shared__ unsigned local[256];
  local[threadIdx.x] = 0;
  __syncthreads();
  for (int i = blockIdx.x * 256 + threadIdx.x; i < n; i += gridDim.x * 256) atomicAdd(&local[x[i]], 1u);
  __syncthreads();
  if (local[threadIdx.x] != 0) atomicAdd(&counts[threadIdx.x], local[threadIdx.x]);
}

// Largest value and where it is first, by compare-and-swap of one 64-bit word: value << 32 | ~index.
extern "C" __global__ void first_maximum(const unsigned* x, unsigned long long* best, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const unsigned long long mine = (unsigned long long)x[i] << 32 | ~unsigned(i);
  unsigned long long seen = *best;
  while (mine > seen) {
    const unsigned long long before = atomicCAS(best, seen, mine);
    if (before == seen) break;
    seen = before;
  }
}
