// 16 products of 32 and 32 are 16384: added 4 times to an f16 accumulator they pass 65504 and become infinite.
#include "mma_types.cuh"

extern "C" __global__ void overflow_f16(uint32_t* d, int steps) {
  const uint32_t a[4] = {0x50005000, 0x50005000, 0x50005000, 0x50005000};
  uint32_t acc[2] = {0, 0};
  for (int step = 0; step < steps; ++step) MmaF16F16::run(acc, a, 0x50005000, 0x50005000);
  for (int i = 0; i < 2; ++i) d[threadIdx.x * 2 + i] = acc[i];
}
