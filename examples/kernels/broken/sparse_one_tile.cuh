// One mma.sp of m16n8k32 f16 with ready-made fragments, for kernels that get the metadata wrong: a is 32 lanes x 4
// words, b the same, d 32 lanes x 4 floats.
#pragma once
#include "mma_sp_types.cuh"

template <class Mma, int Selector>
__device__ void multiply_one_tile(const uint32_t* a, const uint32_t* b, uint32_t e, float* d) {
  const int lane = threadIdx.x;
  uint32_t fragment_a[4], fragment_b[4];
  float acc[4] = {0, 0, 0, 0};
  for (int i = 0; i < 4; ++i) {
    fragment_a[i] = a[lane * 4 + i];
    fragment_b[i] = b[lane * 4 + i];
  }
  Mma::template run<Selector>(acc, fragment_a, fragment_b, e);
  for (int i = 0; i < 4; ++i) d[lane * 4 + i] = acc[i];
}
