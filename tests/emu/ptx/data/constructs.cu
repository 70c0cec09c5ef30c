// What the parser's tests read: a kernel or two with the constructs of PTX that nvcc writes. `make_ptx` compiles it.
#include <cstdio>

struct Settings {
  int mode;
  double scale[3];
};

__device__ int counter = 5;
__constant__ float weights[2][3] = {{1, 2, 3}, {4, 5, 6.5f}};
__device__ const char* const words[2] = {"zero", "one"};

__device__ __noinline__ float twice(float x, int n) {
  return n ? twice(x + x, n - 1) : x;
}
__device__ __noinline__ float thrice(float x, int n) {
  return 3 * x + n;
}
__device__ float (*const functions[2])(float, int) = {twice, thrice};

__device__ void add_once(unsigned* out, unsigned value) {
  asm volatile(
      "{\n\t.reg .pred p;\n\t.reg .b32 t;\n\tsetp.eq.u32 p, %1, 0;\n\t@p bra DONE;\n\t"
      "atom.global.add.u32 t, [%0], %1;\n\tDONE:\n\t}" ::"l"(out),
      "r"(value));
}

extern "C" __global__ void __launch_bounds__(128, 2) constructs(Settings s, const float* in, float* out, int n) {
  __shared__ float tile[32][33];
  extern __shared__ double dynamic[];
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  tile[threadIdx.x / 32][threadIdx.x % 32] = in[i];
  dynamic[threadIdx.x] = s.scale[1];
  __syncthreads();
  float x = tile[threadIdx.x % 32][threadIdx.x / 32];
  switch (s.mode) {
    case 0: x = __shfl_xor_sync(0xFFFFFFFFu, x, 1); break;
    case 1: x = x * weights[1][i % 3]; break;
    case 2: x = twice(x, 3); break;
    case 3: x = functions[i & 1](x, i); break;
    case 4: printf("%s %f\n", words[i & 1], x); break;
    case 5: x = x / 3 + float(dynamic[0]); break;
    case 6: counter += i; break;
    default: x = -x;
  }
  add_once(reinterpret_cast<unsigned*>(out), i);
  add_once(reinterpret_cast<unsigned*>(out) + 1, n);
  out[i] = x;
}
