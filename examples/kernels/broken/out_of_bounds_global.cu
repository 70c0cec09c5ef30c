// memcheck: the guard is `<=`, so one thread reads and writes the element behind the end.

extern "C" __global__ void out_of_bounds_global(const float* x, float* y, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i <= n) y[i] = 2.0f * x[i];
}
