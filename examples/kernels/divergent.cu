// Loops that each lane leaves at its own time, with a branch inside: steps until x reaches 1 under x -> x / 2 (even) or
// 3 x + 1 (odd). The ballot after the loop needs the lanes back together.

extern "C" __global__ void divergent(const unsigned* x, unsigned* steps, unsigned* ballots, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  unsigned count = 0;
  if (i < n) {
    unsigned long long value = x[i];
    while (value > 1) {
      if (value % 2 == 0)
        value /= 2;
      else
        value = 3 * value + 1;
      ++count;
    }
    steps[i] = count;
  }
  const unsigned many = __ballot_sync(0xffffffff, count > 50);
  if (threadIdx.x % 32 == 0) ballots[i / 32] = many;
}
