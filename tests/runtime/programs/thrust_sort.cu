// Thrust and CUB: transform, reduce, scan, sort.
#include <thrust/device_vector.h>
#include <thrust/host_vector.h>
#include <thrust/reduce.h>
#include <thrust/scan.h>
#include <thrust/sort.h>
#include <thrust/transform.h>

#include "check.h"

struct Square {
  __host__ __device__ int operator()(int x) const { return x * x; }
};

int main() {
  constexpr int n = 3000;
  thrust::host_vector<int> host(n);
  for (int i = 0; i < n; ++i) host[i] = (i * 7919) % 1009;
  thrust::device_vector<int> values = host, squares(n);
  thrust::transform(values.begin(), values.end(), squares.begin(), Square());
  const int total = thrust::reduce(squares.begin(), squares.end(), 0);
  int expected = 0;
  for (int i = 0; i < n; ++i) expected += host[i] * host[i];
  EXPECT(total == expected);
  thrust::inclusive_scan(values.begin(), values.end(), squares.begin());
  thrust::host_vector<int> scanned = squares;
  for (int i = 0, run = 0; i < n; ++i) run += host[i], EXPECT(scanned[i] == run);
  thrust::sort(values.begin(), values.end());
  thrust::host_vector<int> sorted = values;
  for (int i = 1; i < n; ++i) EXPECT(sorted[i - 1] <= sorted[i]);
  std::puts("passed");
}
