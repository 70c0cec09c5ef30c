// Cooperative groups: tiles of a warp and of a block.
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>

#include "check.h"

namespace cg = cooperative_groups;

__global__ void sums(int* out) {
  const cg::thread_block block = cg::this_thread_block();
  const auto tile = cg::tiled_partition<8>(block);
  const int total = cg::reduce(tile, int(block.thread_rank()), cg::plus<int>());
  if (tile.thread_rank() == 0) out[tile.meta_group_rank()] = total;
  block.sync();
  if (block.thread_rank() < 32 && block.thread_rank() % 2 == 0) {
    const auto active = cg::coalesced_threads();
    if (active.thread_rank() == 0) out[8] = int(active.size());
  }
}

int main() {
  int *device, got[9];
  CHECK(cudaMalloc(&device, sizeof got));
  sums<<<1, 64>>>(device);
  CHECK(cudaMemcpy(got, device, sizeof got, cudaMemcpyDeviceToHost));
  for (int t = 0; t < 8; ++t) EXPECT(got[t] == 8 * 8 * t + 28);
  EXPECT(got[8] == 16);
  std::puts("passed");
}
