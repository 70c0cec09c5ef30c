// printf from a kernel, and assert that holds.
#include <cassert>

#include "check.h"

__global__ void hello(double x, const char* text) {
  assert(threadIdx.x < 2);
  printf("block %u thread %u: %5.2f %s %lld %c\n", blockIdx.x, threadIdx.x, x, "text", 1LL << 40, 'z');
}

int main() {
  hello<<<1, 2>>>(2.5, nullptr);
  CHECK(cudaDeviceSynchronize());
  std::puts("passed");
}
