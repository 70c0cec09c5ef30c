// metacheck: `e` was made for selector 0 (lanes 4g and 4g + 1; the others hold 0), but the instruction is told 1.
#include "sparse_one_tile.cuh"

extern "C" __global__ void metadata_wrong_selector(const uint32_t* a, const uint32_t* b, const uint32_t* e, float* d) {
  multiply_one_tile<MmaSpF16, 1>(a, b, e[threadIdx.x], d);
}
