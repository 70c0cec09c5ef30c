// nvcc: -rdc=true -lcudadevrt
// Kernels that launch kernels: quicksort, each half in a launch of its own.
#include "check.h"

__device__ void insertion_sort(int* values, int count) {
  for (int i = 1; i < count; ++i)
    for (int k = i; k > 0 && values[k - 1] > values[k]; --k) {
      const int kept = values[k];
      values[k] = values[k - 1];
      values[k - 1] = kept;
    }
}

__global__ void sort(int* values, int count) {
  if (count <= 16) return insertion_sort(values, count);
  const int pivot = values[count / 2];
  int low = 0, high = count - 1;
  while (low <= high) {
    while (values[low] < pivot) ++low;
    while (values[high] > pivot) --high;
    if (low > high) break;
    const int kept = values[low];
    values[low++] = values[high];
    values[high--] = kept;
  }
  cudaStream_t stream;
  cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  sort<<<1, 1, 0, stream>>>(values, high + 1);
  sort<<<1, 1>>>(values + low, count - low);
  cudaStreamDestroy(stream);
}

int main() {
  constexpr int count = 3000;
  int* values;
  CHECK(cudaMallocManaged(&values, count * sizeof(int)));
  unsigned random = 1;
  for (int i = 0; i < count; ++i) values[i] = int((random = random * 1664525 + 1013904223) >> 16);
  sort<<<1, 1>>>(values, count);
  CHECK(cudaDeviceSynchronize());
  for (int i = 1; i < count; ++i) EXPECT(values[i - 1] <= values[i]);
  std::puts("passed");
}
