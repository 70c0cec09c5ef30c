// Vector addition in two streams, timed by events, with pinned memory.
#include <vector>

#include "check.h"

__global__ void add(const float* a, const float* b, float* c, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) c[i] = a[i] + b[i];
}

__global__ void fill(double* values, double value, int n) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) values[i] = value;
}

int main() {
  constexpr int n = 1000, half = n / 2;
  float *a, *b, *c, *host;
  CHECK(cudaMalloc(&a, n * sizeof(float)));
  CHECK(cudaMalloc(&b, n * sizeof(float)));
  CHECK(cudaMalloc(&c, n * sizeof(float)));
  CHECK(cudaMallocHost(&host, n * sizeof(float)));
  std::vector<float> x(n), y(n);
  for (int i = 0; i < n; ++i) x[i] = float(i), y[i] = 0.5f * float(i);
  cudaStream_t streams[2];
  cudaEvent_t start, stop;
  CHECK(cudaEventCreate(&start));
  CHECK(cudaEventCreate(&stop));
  for (auto& s : streams) CHECK(cudaStreamCreate(&s));
  CHECK(cudaEventRecord(start, streams[0]));
  for (int part = 0; part < 2; ++part) {
    const int at = part * half;
    CHECK(cudaMemcpyAsync(a + at, &x[at], half * sizeof(float), cudaMemcpyHostToDevice, streams[part]));
    CHECK(cudaMemcpyAsync(b + at, &y[at], half * sizeof(float), cudaMemcpyHostToDevice, streams[part]));
    add<<<(half + 127) / 128, 128, 0, streams[part]>>>(a + at, b + at, c + at, half);
    CHECK(cudaGetLastError());
    CHECK(cudaMemcpyAsync(host + at, c + at, half * sizeof(float), cudaMemcpyDeviceToHost, streams[part]));
  }
  CHECK(cudaEventRecord(stop, streams[1]));
  CHECK(cudaStreamWaitEvent(streams[0], stop, 0));
  for (auto s : streams) CHECK(cudaStreamSynchronize(s));
  float ms = -1;
  CHECK(cudaEventElapsedTime(&ms, start, stop));
  EXPECT(ms >= 0);
  for (int i = 0; i < n; ++i) EXPECT(host[i] == 1.5f * float(i));

  double* d;
  CHECK(cudaMallocManaged(&d, 64 * sizeof(double)));
  fill<<<1, 32>>>(d, 2.5, 64);
  CHECK(cudaDeviceSynchronize());
  for (int i = 0; i < 64; ++i) EXPECT(d[i] == 2.5);
  for (void* p : {(void*)a, (void*)b, (void*)c, (void*)d}) CHECK(cudaFree(p));
  CHECK(cudaFreeHost(host));
  std::puts("passed");
}
