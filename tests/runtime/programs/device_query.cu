// What a program asks of the device before it does anything.
#include <cstring>

#include "check.h"

__global__ void __launch_bounds__(256) nothing(int* p) { __shared__ int a[100]; a[threadIdx.x % 100] = 1; __syncthreads(); *p = a[5]; }

void count_call(void* data) { ++*static_cast<int*>(data); }

int main() {
  int devices = 0, value = 0, version = 0;
  CHECK(cudaGetDeviceCount(&devices));
  EXPECT(devices == 1);
  cudaDeviceProp prop;
  std::memset(&prop, 0x55, sizeof prop);
  CHECK(cudaGetDeviceProperties(&prop, 0));
  std::printf("%s, compute capability %d.%d, %d SMs\n", prop.name, prop.major, prop.minor, prop.multiProcessorCount);
  EXPECT(prop.warpSize == 32 && prop.maxThreadsPerBlock == 1024 && prop.totalConstMem == 65536);
  CHECK(cudaDeviceGetAttribute(&value, cudaDevAttrMultiProcessorCount, 0));
  EXPECT(value == prop.multiProcessorCount);
  CHECK(cudaDeviceGetAttribute(&value, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0));
  EXPECT(std::size_t(value) == prop.sharedMemPerBlockOptin);
  CHECK(cudaDeviceGetAttribute(&value, cudaDevAttrComputeCapabilityMajor, 0));
  EXPECT(value == prop.major);
  CHECK(cudaRuntimeGetVersion(&version));
  EXPECT(version / 1000 == CUDART_VERSION / 1000);
  std::size_t free = 0, total = 0;
  CHECK(cudaMemGetInfo(&free, &total));
  EXPECT(total == prop.totalGlobalMem && free <= total);
  cudaFuncAttributes attributes;
  CHECK(cudaFuncGetAttributes(&attributes, nothing));
  EXPECT(attributes.maxThreadsPerBlock == 256 && attributes.sharedSizeBytes == 400);
  int* p;
  CHECK(cudaMalloc(&p, 4));
  nothing<<<1, 257>>>(p);
  EXPECT(cudaGetLastError() != cudaSuccess);
  nothing<<<1, 1025>>>(p);
  EXPECT(cudaGetLastError() == cudaErrorInvalidConfiguration);
  nothing<<<0, 32>>>(p);
  EXPECT(cudaGetLastError() == cudaErrorInvalidConfiguration);
  int calls = 0;
  CHECK(cudaLaunchHostFunc(nullptr, count_call, &calls));
  CHECK(cudaStreamSynchronize(nullptr));
  EXPECT(calls == 1);
  cudaPointerAttributes where;
  CHECK(cudaPointerGetAttributes(&where, p));
  EXPECT(where.type == cudaMemoryTypeDevice && where.devicePointer == p);
  CHECK(cudaPointerGetAttributes(&where, &where));
  EXPECT(where.type == cudaMemoryTypeUnregistered);
  std::puts("passed");
}
