// The sum of 32 products of -128 and -128 is 2^19: added 4096 times to 0 it passes 2^31 - 1 and wraps.
#include "mma_types.cuh"

extern "C" __global__ void overflow_s32(int* d, int steps) {
  const uint32_t a[4] = {0x80808080, 0x80808080, 0x80808080, 0x80808080};
  int acc[4] = {0, 0, 0, 0};
  for (int step = 0; step < steps; ++step) MmaS8::run(acc, a, 0x80808080, 0x80808080);
  for (int i = 0; i < 4; ++i) d[threadIdx.x * 4 + i] = acc[i];
}
