// new, delete and virtual functions in kernels; an assertion that fails.
#include <cassert>

#include "check.h"

struct Shape {
  __device__ virtual ~Shape() {}
  __device__ virtual int area() const = 0;
};
struct Square : Shape {
  int side;
  __device__ explicit Square(int s) : side(s) {}
  __device__ int area() const override { return side * side; }
};
struct Strip : Shape {
  int* lengths;
  __device__ explicit Strip(int n) : lengths(new int[n]) {
    for (int i = 0; i < n; ++i) lengths[i] = i;
    count = n;
  }
  __device__ ~Strip() override { delete[] lengths; }
  __device__ int area() const override {
    int sum = 0;
    for (int i = 0; i < count; ++i) sum += lengths[i];
    return sum;
  }
  int count;
};

__global__ void areas(int* out) {
  const int i = int(threadIdx.x);
  Shape* shape = i % 2 ? static_cast<Shape*>(new Square(i)) : new Strip(i);
  out[i] = shape->area();
  delete shape;
}

__global__ void below(unsigned limit) {
  assert(threadIdx.x < limit);
}

int main() {
  CHECK(cudaDeviceSetLimit(cudaLimitMallocHeapSize, 32 << 20));
  int* out;
  CHECK(cudaMallocManaged(&out, 128 * sizeof(int)));
  for (int round = 0; round < 50; ++round) areas<<<1, 128>>>(out);
  CHECK(cudaDeviceSynchronize());
  for (int i = 0; i < 128; ++i) EXPECT(out[i] == (i % 2 ? i * i : i * (i - 1) / 2));
  below<<<1, 32>>>(30);
  EXPECT(cudaDeviceSynchronize() == cudaErrorAssert);
  std::puts("passed");
}
