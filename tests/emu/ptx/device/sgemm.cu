// C = A B of m x k and k x n floats, row-major; sizes are multiples of 64, 64 and 16. A block of 256 threads
// computes a tile of 64 x 64, a thread 4 x 4 of it. Compiled by
//   nvcc -arch=compute_80 -ptx -o sgemm.ptx sgemm.cu
extern "C" __global__ void __launch_bounds__(256) sgemm(const float* a, const float* b, float* c, int n, int k) {
  __shared__ float a_tile[16][64];
  __shared__ float b_tile[16][64];
  const int thread = threadIdx.x, column = thread % 16 * 4, row = thread / 16 * 4;
  const float* a_from = a + (blockIdx.y * 64 + thread / 4) * k + thread % 4 * 4;
  const float* b_from = b + thread / 16 * n + blockIdx.x * 64 + column;
  float sum[4][4] = {};
  for (int step = 0; step < k; step += 16) {
    const float4 x = *reinterpret_cast<const float4*>(a_from + step);
    a_tile[thread % 4 * 4 + 0][thread / 4] = x.x;
    a_tile[thread % 4 * 4 + 1][thread / 4] = x.y;
    a_tile[thread % 4 * 4 + 2][thread / 4] = x.z;
    a_tile[thread % 4 * 4 + 3][thread / 4] = x.w;
    *reinterpret_cast<float4*>(&b_tile[thread / 16][column]) = *reinterpret_cast<const float4*>(b_from + step * n);
    __syncthreads();
#pragma unroll
    for (int i = 0; i < 16; ++i) {
      const float4 p = *reinterpret_cast<const float4*>(&a_tile[i][row]);
      const float4 q = *reinterpret_cast<const float4*>(&b_tile[i][column]);
      const float u[4] = {p.x, p.y, p.z, p.w}, v[4] = {q.x, q.y, q.z, q.w};
#pragma unroll
      for (int y = 0; y < 4; ++y)
#pragma unroll
        for (int z = 0; z < 4; ++z) sum[y][z] = fmaf(u[y], v[z], sum[y][z]);
    }
    __syncthreads();
  }
#pragma unroll
  for (int y = 0; y < 4; ++y)
    *reinterpret_cast<float4*>(c + (blockIdx.y * 64 + row + y) * n + blockIdx.x * 64 + column) =
        make_float4(sum[y][0], sum[y][1], sum[y][2], sum[y][3]);
}
