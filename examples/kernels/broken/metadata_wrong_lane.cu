// metacheck: 8-bit types give each row a word of its own, lane 4g + 1 that of row g + 8 here. This kernel loads them as if
// lane 4g held both, and leaves the others 0.
#include "mma_sp_types.cuh"

extern "C" __global__ void metadata_wrong_lane(const uint32_t* a, const uint32_t* b, const uint32_t* e, int* d) {
  const int lane = threadIdx.x;
  const uint32_t word = lane % 4 == 0 ? (e[lane] & 0xffff) | e[lane + 1] << 16 : 0;
  int acc[4] = {0, 0, 0, 0};
  MmaSpS8Half::run_half<0>(acc, a[lane * 2], a[lane * 2 + 1], b[lane * 2], b[lane * 2 + 1], word);
  for (int i = 0; i < 4; ++i) d[lane * 4 + i] = acc[i];
}
