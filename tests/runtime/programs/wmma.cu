// One 16x16x16 product of halves by wmma, exact in small integers.
#include <cuda_fp16.h>
#include <mma.h>

#include <vector>

#include "check.h"

using namespace nvcuda;

__global__ void multiply(const half* a, const half* b, float* d) {
  wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> fa;
  wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::col_major> fb;
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> fd;
  wmma::fill_fragment(fd, 1.0f);
  wmma::load_matrix_sync(fa, a, 16);
  wmma::load_matrix_sync(fb, b, 16);
  wmma::mma_sync(fd, fa, fb, fd);
  wmma::store_matrix_sync(d, fd, 16, wmma::mem_row_major);
}

int main() {
  std::vector<half> a(256), b(256);
  std::vector<float> x(256), y(256), d(256);
  for (int i = 0; i < 256; ++i) {
    x[i] = float(i % 5 - 2), y[i] = float(i % 7 - 3);
    a[i] = __float2half(x[i]), b[i] = __float2half(y[i]);
  }
  half *da, *db;
  float* dd;
  CHECK(cudaMalloc(&da, 512));
  CHECK(cudaMalloc(&db, 512));
  CHECK(cudaMalloc(&dd, 1024));
  CHECK(cudaMemcpy(da, a.data(), 512, cudaMemcpyHostToDevice));
  CHECK(cudaMemcpy(db, b.data(), 512, cudaMemcpyHostToDevice));
  multiply<<<1, 32>>>(da, db, dd);
  CHECK(cudaMemcpy(d.data(), dd, 1024, cudaMemcpyDeviceToHost));
  for (int m = 0; m < 16; ++m)
    for (int n = 0; n < 16; ++n) {
      float expected = 1;
      for (int k = 0; k < 16; ++k) expected += x[m * 16 + k] * y[n * 16 + k];
      EXPECT(d[m * 16 + n] == expected);
    }
  std::puts("passed");
}
