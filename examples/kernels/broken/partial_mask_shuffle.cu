// synccheck: the mask names all 32 lanes, but only the even ones come to the shuffle.

extern "C" __global__ void partial_mask_shuffle(const int* x, int* y) {
  int value = x[threadIdx.x];
  if (threadIdx.x % 2 == 0) value += __shfl_xor_sync(0xffffffff, value, 2);
  y[threadIdx.x] = value;
}
