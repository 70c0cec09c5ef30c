// A grid whose blocks meet between rounds, more than there are host threads.
#include <cooperative_groups.h>

#include "check.h"

namespace cg = cooperative_groups;

__global__ void rounds(int* sums, int* wrong, int count) {
  const cg::grid_group grid = cg::this_grid();
  for (int r = 0; r < count; ++r) {
    atomicAdd(sums + r, 1);
    grid.sync();
    if (sums[r] != int(grid.size())) atomicAdd(wrong, 1);
  }
}

int main() {
  int *sums, *wrong, blocks = 0, processors = 0, count = 5;
  CHECK(cudaMallocManaged(&sums, count * sizeof(int)));
  CHECK(cudaMallocManaged(&wrong, sizeof(int)));
  CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, rounds, 64, 0));
  CHECK(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, 0));
  void* arguments[] = {&sums, &wrong, &count};
  CHECK(cudaLaunchCooperativeKernel(rounds, dim3(blocks * processors), dim3(64), arguments, 0, nullptr));
  CHECK(cudaDeviceSynchronize());
  EXPECT(*wrong == 0);
  EXPECT(sums[count - 1] == blocks * processors * 64);
  EXPECT(cudaLaunchCooperativeKernel(rounds, dim3(blocks * processors + 1), dim3(64), arguments, 0,
                                     nullptr) == cudaErrorCooperativeLaunchTooLarge);
  std::puts("passed");
}
