// f32 GEMM on CUDA cores: D = A B, A row-major (M x K), B row-major (K x N). 256 threads compute 64 x 64, a thread 4 x 4
// in registers; k comes in chunks of 8 through shared memory. grid: (N / 64, M / 64).
//
// Order of k: ascending, a chain of fused multiply-adds from +0.

extern "C" __global__ void __launch_bounds__(256)
sgemm(const float* a, const float* b, float* d, int m, int n, int k) {
  __shared__ float tile_a[8][64], tile_b[8][64];  // A transposed: a thread reads 4 rows as one vector
  const int thread = threadIdx.x, row = thread / 16 * 4, col = thread % 16 * 4;
  a += size_t(blockIdx.y) * 64 * k;
  b += blockIdx.x * 64;
  float acc[4][4] = {};
  for (int first = 0; first < k; first += 8) {
#pragma unroll
    for (int i = thread; i < 64 * 8; i += 256) {
      tile_a[i % 8][i / 8] = a[size_t(i / 8) * k + first + i % 8];
      tile_b[i / 64][i % 64] = b[size_t(first + i / 64) * n + i % 64];
    }
    __syncthreads();
#pragma unroll
    for (int kk = 0; kk < 8; ++kk) {
      const float4 av = *reinterpret_cast<const float4*>(&tile_a[kk][row]);
      const float4 bv = *reinterpret_cast<const float4*>(&tile_b[kk][col]);
      const float as[4] = {av.x, av.y, av.z, av.w}, bs[4] = {bv.x, bv.y, bv.z, bv.w};
#pragma unroll
      for (int i = 0; i < 4; ++i)
#pragma unroll
        for (int j = 0; j < 4; ++j) acc[i][j] = __fmaf_rn(as[i], bs[j], acc[i][j]);
    }
    __syncthreads();
  }
  d += (size_t(blockIdx.y) * 64 + row) * n + blockIdx.x * 64 + col;
#pragma unroll
  for (int i = 0; i < 4; ++i)
    *reinterpret_cast<float4*>(d + size_t(i) * n) = make_float4(acc[i][0], acc[i][1], acc[i][2], acc[i][3]);
}
