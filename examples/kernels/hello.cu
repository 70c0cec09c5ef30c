// printf: vprintf with its arguments in local memory. One line a thread that is asked for.
#include <cstdio>

extern "C" __global__ void hello(const float* x, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) printf("hello %d of %d: %.3f %s%c\n", i, n, x[i], i % 2 ? "odd" : "even", '!');
}
