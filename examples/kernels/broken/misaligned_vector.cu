// memcheck: 16-byte vectors from an array that is only 4-byte aligned there: every access is 4 bytes off.

extern "C" __global__ void misaligned_vector(const float* x, float4* y) {
  y[threadIdx.x] = *reinterpret_cast<const float4*>(x + 1 + 4 * threadIdx.x);
}
