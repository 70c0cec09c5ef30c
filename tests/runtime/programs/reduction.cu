// A reduction with dynamic shared memory, shuffles and an atomic; block size from the occupancy calls.
#include <cstdint>
#include <vector>

#include "check.h"

template <class T>
__global__ void sum(const T* values, T* result, int n) {
  extern __shared__ unsigned char raw[];
  T* partial = reinterpret_cast<T*>(raw);
  T mine = 0;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) mine += values[i];
  partial[threadIdx.x] = mine;
  __syncthreads();
  for (int step = blockDim.x / 2; step >= 32; step /= 2) {
    if (threadIdx.x < step) partial[threadIdx.x] += partial[threadIdx.x + step];
    __syncthreads();
  }
  if (threadIdx.x < 32) {
    mine = partial[threadIdx.x];
    for (int step = 16; step > 0; step /= 2) mine += __shfl_down_sync(0xffffffffu, mine, step);
    if (threadIdx.x == 0) atomicAdd(result, mine);
  }
}

template <class T>
void run(int threads) {
  constexpr int n = 5000;
  std::vector<T> values(n);
  for (int i = 0; i < n; ++i) values[i] = T(i % 7);
  T expected = 0;
  for (T v : values) expected += v;
  T *device, *result, got = 0;
  CHECK(cudaMalloc(&device, n * sizeof(T)));
  CHECK(cudaMalloc(&result, sizeof(T)));
  CHECK(cudaMemset(result, 0, sizeof(T)));
  CHECK(cudaMemcpy(device, values.data(), n * sizeof(T), cudaMemcpyHostToDevice));
  int blocks = 0;
  CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, sum<T>, threads, threads * sizeof(T)));
  EXPECT(blocks >= 1);
  sum<T><<<6, threads, threads * sizeof(T)>>>(device, result, n);
  CHECK(cudaMemcpy(&got, result, sizeof(T), cudaMemcpyDeviceToHost));
  EXPECT(got == expected);
  CHECK(cudaFree(device));
  CHECK(cudaFree(result));
}

int main() {
  int least_grid = 0, block = 0;
  CHECK(cudaOccupancyMaxPotentialBlockSize(&least_grid, &block, sum<int>, 0, 0));
  EXPECT(block >= 32 && block <= 1024 && least_grid >= 1);
  run<int>(128);
  run<float>(256);
  run<unsigned long long>(64);

  // More than 48 KiB must be asked for.
  sum<float><<<1, 32, 60 << 10>>>(nullptr, nullptr, 0);
  EXPECT(cudaGetLastError() == cudaErrorInvalidValue);
  CHECK(cudaFuncSetAttribute(sum<float>, cudaFuncAttributeMaxDynamicSharedMemorySize, 60 << 10));
  float* result;
  CHECK(cudaMalloc(&result, sizeof(float)));
  sum<float><<<1, 32, 60 << 10>>>(nullptr, result, 0);
  CHECK(cudaGetLastError());
  CHECK(cudaDeviceSynchronize());
  std::puts("passed");
}
