// metacheck: the code of row 3, group 1 keeps column 1 twice (0x5), which no mma.sp allows. It lies in bits 4-7 of lane
// 12's word.
#include "sparse_one_tile.cuh"

extern "C" __global__ void metadata_duplicate(const uint32_t* a, const uint32_t* b, const uint32_t* e, float* d) {
  uint32_t word = e[threadIdx.x];
  if (threadIdx.x == 12) word = (word & ~0xf0u) | 0x50u;
  multiply_one_tile<MmaSpF16, 0>(a, b, word, d);
}
