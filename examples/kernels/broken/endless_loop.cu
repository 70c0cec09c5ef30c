// Waits for a flag that nobody sets: only a limit on instructions ends it.

extern "C" __global__ void endless_loop(volatile int* flag, int* y) {
  while (*flag == 0) {
  }
  y[threadIdx.x] = *flag;
}
