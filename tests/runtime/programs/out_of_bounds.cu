// A kernel that writes outside its memory: the error is sticky.
#include "check.h"

__global__ void write(int* p) { p[threadIdx.x * 1000000] = 1; }

int main() {
  int* p;
  CHECK(cudaMalloc(&p, 64));
  write<<<1, 32>>>(p);
  const cudaError_t error = cudaDeviceSynchronize();
  EXPECT(error == cudaErrorIllegalAddress);
  EXPECT(cudaMalloc(&p, 64) == error);
  EXPECT(cudaGetLastError() == error && cudaGetLastError() == error);
  CHECK(cudaDeviceReset());
  CHECK(cudaMalloc(&p, 64));
  std::puts("passed");
}
