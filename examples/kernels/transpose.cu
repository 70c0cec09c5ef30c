// Transpose of 32-bit elements through shared memory: rows are read and written whole; a padding column keeps the
// columns of the tile in different banks. x: rows x cols, y: cols x rows, any sizes. grid: (cols / 32, rows / 32)
// rounded up, block: (32, 8).

extern "C" __global__ void transpose(const float* x, float* y, int rows, int cols) {
  __shared__ float tile[32][33];
  const int col = blockIdx.x * 32 + threadIdx.x;
  for (int i = threadIdx.y; i < 32; i += 8) {
    const int row = blockIdx.y * 32 + i;
    if (row < rows && col < cols) tile[i][threadIdx.x] = x[row * cols + col];
  }
  __syncthreads();
  const int to_col = blockIdx.y * 32 + threadIdx.x;
  for (int i = threadIdx.y; i < 32; i += 8) {
    const int to_row = blockIdx.x * 32 + i;
    if (to_row < cols && to_col < rows) y[to_row * rows + to_col] = tile[threadIdx.x][i];
  }
}
