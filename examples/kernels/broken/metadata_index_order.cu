// metacheck: the two indices of each code are exchanged (0x4 becomes 0x1, and so on): descending, which
// ::ordered_metadata does not allow. `e` holds ascending codes for selector 0.
#include "sparse_one_tile.cuh"

extern "C" __global__ void metadata_index_order(const uint32_t* a, const uint32_t* b, const uint32_t* e, float* d) {
  const uint32_t word = e[threadIdx.x];
  multiply_one_tile<MmaSpF16Ordered, 0>(a, b, (word & 0x33333333) << 2 | (word >> 2 & 0x33333333), d);
}
