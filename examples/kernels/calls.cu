// Calls that the compiler does not inline: a function with a result, one through a pointer from a table in constant
// memory, and a recursion.

namespace {
__device__ __noinline__ int twice_plus(int x, int y) { return 2 * x + y; }
__device__ __noinline__ int minus(int x, int y) { return x - y; }
__device__ __noinline__ int larger(int x, int y) { return x > y ? x : y; }
__device__ __noinline__ unsigned greatest_divisor(unsigned x, unsigned y) {
  return y == 0 ? x : greatest_divisor(y, x % y);
}
__device__ __noinline__ unsigned ackermann_like(unsigned depth, unsigned x) {
  return depth == 0 ? x + 1 : ackermann_like(depth - 1, x ^ depth) + ackermann_like(depth - 1, x + depth);
}
using Binary = int (*)(int, int);
__device__ Binary const table[3] = {twice_plus, minus, larger};
}  // namespace

// y[i] = table[op[i]](a[i], b[i]): lanes of a warp call different functions.
extern "C" __global__ void call_table(const int* op, const int* a, const int* b, int* y, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = table[op[i]](a[i], b[i]);
}

// y[i] = gcd(a[i], b[i]) + f(depth, a[i]) with f(0, x) = x + 1, f(d, x) = f(d-1, x xor d) + f(d-1, x + d).
extern "C" __global__ void call_recursive(const unsigned* a, const unsigned* b, unsigned* y, unsigned depth, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = greatest_divisor(a[i], b[i]) + ackermann_like(depth, a[i]);
}
