// Variables of the device: constant, global, managed, arrays with initial values; addresses and sizes.
#include <vector>

#include "check.h"

__constant__ float weights[8];
__constant__ int table[4] = {2, 3, 5, 7};
__device__ int counter = 10;
__device__ float plane[4][16];
__managed__ int shared_count = 3;

__global__ void use(float* out) {
  const int i = threadIdx.x;
  out[i] = weights[i % 8] * float(table[i % 4]);
  plane[i / 8 % 4][i % 16] = float(i);
  atomicAdd(&counter, 1);
  if (i == 0) shared_count += table[3];
}

int main() {
  float w[8];
  for (int i = 0; i < 8; ++i) w[i] = 0.25f * float(i);
  CHECK(cudaMemcpyToSymbol(weights, w, sizeof w));
  const float last = 100;
  CHECK(cudaMemcpyToSymbol(weights, &last, sizeof last, 7 * sizeof last));
  std::size_t size = 0;
  CHECK(cudaGetSymbolSize(&size, plane));
  EXPECT(size == sizeof(float) * 64);
  void* address = nullptr;
  CHECK(cudaGetSymbolAddress(&address, plane));
  CHECK(cudaMemset(address, 0, size));
  shared_count += 1;
  float* out;
  CHECK(cudaMalloc(&out, 32 * sizeof(float)));
  use<<<1, 32>>>(out);
  CHECK(cudaDeviceSynchronize());
  EXPECT(shared_count == 3 + 1 + 7);
  std::vector<float> got(32);
  CHECK(cudaMemcpy(got.data(), out, 32 * sizeof(float), cudaMemcpyDefault));
  const int primes[4] = {2, 3, 5, 7};
  for (int i = 0; i < 32; ++i) EXPECT(got[i] == (i % 8 == 7 ? 100.f : 0.25f * float(i % 8)) * float(primes[i % 4]));
  int count = 0;
  CHECK(cudaMemcpyFromSymbol(&count, counter, sizeof count));
  EXPECT(count == 42);
  CHECK(cudaFree(out));
  std::puts("passed");
}
