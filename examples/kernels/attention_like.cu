// One head of attention, fused and online: O = softmax(Q K^T / 8) V with 64 columns, f16 in, f32 out.
//
// A CTA of 4 warps takes 64 queries, a warp 16 of them. Keys and values come in blocks of 64 through shared memory.
// S = Q K^T stays in accumulators; each row keeps its running maximum and sum, and what is accumulated is scaled when
// the maximum grows. P is rounded to f16 in registers: the accumulators of two neighbouring 16 x 8 tiles of S are the
// A fragment of one m16n8k16. ldmatrix.trans turns rows of V into the columns that B wants.
//
// exp(x) is ex2.approx.ftz(x * log2(e)), so the result is not defined bit by bit. grid: queries / 64; keys is a
// multiple of 64.
#include <cuda_fp16.h>

#include "mma_types.cuh"
#include "ptx_ops.cuh"

namespace {
constexpr int row_bytes = 128, block = 64;

__device__ float exp2_approximately(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
// Two f32 to f16, the first in the low half.
__device__ uint32_t pack(float low, float high) {
  uint32_t both;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(high), "f"(low));
  return both;
}
// Over the four lanes that share a row.
__device__ float row_max(float x) {
  x = fmaxf(x, __shfl_xor_sync(0xffffffff, x, 1));
  return fmaxf(x, __shfl_xor_sync(0xffffffff, x, 2));
}
__device__ float row_sum(float x) {
  x += __shfl_xor_sync(0xffffffff, x, 1);
  return x + __shfl_xor_sync(0xffffffff, x, 2);
}
// 64 rows of 64 elements to shared memory.
__device__ void copy_block(uint32_t to, const __half* from) {
  for (int i = threadIdx.x; i < block * 8; i += 128)
    cp_async_16(to + swizzled<row_bytes>(i / 8, i % 8), from + i * 8);
}

// S for 16 queries and 64 keys.
__device__ void multiply_keys(float (&s)[8][4], const uint32_t (&q)[4][4], uint32_t keys, int lane) {
#pragma unroll
  for (int j = 0; j < 8; ++j) {
#pragma unroll
    for (int e = 0; e < 4; ++e) s[j][e] = 0;
#pragma unroll
    for (int half = 0; half < 2; ++half) {  // 32 columns of K for 8 keys
      uint32_t b[4];
      ldmatrix_x4(b, keys + swizzled<row_bytes>(8 * j + lane % 8, 4 * half + lane / 8));
      MmaF16::run(s[j], q[2 * half], b[0], b[1]);
      MmaF16::run(s[j], q[2 * half + 1], b[2], b[3]);
    }
  }
}

// O += P V for 64 keys.
__device__ void multiply_values(float (&o)[8][4], const float (&p)[8][4], uint32_t values, int lane) {
#pragma unroll
  for (int step = 0; step < 4; ++step) {  // 16 keys
    const uint32_t a[4] = {pack(p[2 * step][0], p[2 * step][1]), pack(p[2 * step][2], p[2 * step][3]),
                           pack(p[2 * step + 1][0], p[2 * step + 1][1]), pack(p[2 * step + 1][2], p[2 * step + 1][3])};
#pragma unroll
    for (int j = 0; j < 4; ++j) {  // 16 columns: keys 0-7, 8-15 of the first 8, then of the other 8
      uint32_t b[4];
      ldmatrix_x4_trans(b, values + swizzled<row_bytes>(16 * step + lane % 16, 2 * j + lane / 16));
      MmaF16::run(o[2 * j], a, b[0], b[1]);
      MmaF16::run(o[2 * j + 1], a, b[2], b[3]);
    }
  }
}
}  // namespace

extern "C" __global__ void __launch_bounds__(128)
attention_like(const __half* q, const __half* k, const __half* v, float* o, int queries, int keys) {
  __shared__ __align__(128) char tile_q[block * row_bytes], tile_k[block * row_bytes], tile_v[block * row_bytes];
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const uint32_t shared_q = shared_address(tile_q), shared_k = shared_address(tile_k), shared_v = shared_address(tile_v);
  const float scale = 0.125f * 1.44269504f;  // of logits to powers of two

  copy_block(shared_q, q + size_t(blockIdx.x) * block * 64);
  cp_async_commit();
  cp_async_wait<0>();
  __syncthreads();
  uint32_t fragment_q[4][4];
#pragma unroll
  for (int step = 0; step < 4; ++step)
    ldmatrix_x4(fragment_q[step], shared_q + swizzled<row_bytes>(16 * warp + lane % 16, 2 * step + lane / 16));

  float acc[8][4] = {}, sum[2] = {0, 0}, maximum[2] = {-INFINITY, -INFINITY};  // of rows lane / 4 and + 8
  for (int first = 0; first < keys; first += block) {
    __syncthreads();  // everyone is done with the last block
    copy_block(shared_k, k + size_t(first) * 64);
    cp_async_commit();
    copy_block(shared_v, v + size_t(first) * 64);
    cp_async_commit();
    cp_async_wait<1>();
    __syncthreads();
    float s[8][4];
    multiply_keys(s, fragment_q, shared_k, lane);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float top = maximum[half];
#pragma unroll
      for (int j = 0; j < 8; ++j) top = fmaxf(top, fmaxf(s[j][2 * half], s[j][2 * half + 1]));
      top = row_max(top);
      const float shrink = exp2_approximately((maximum[half] - top) * scale);
      maximum[half] = top;
      sum[half] *= shrink;
#pragma unroll
      for (int j = 0; j < 8; ++j)
#pragma unroll
        for (int e = 2 * half; e < 2 * half + 2; ++e) {
          acc[j][e] *= shrink;
          s[j][e] = exp2_approximately((s[j][e] - top) * scale);
          sum[half] += s[j][e];
        }
    }
    cp_async_wait<0>();
    __syncthreads();
    multiply_values(acc, s, shared_v, lane);
  }
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const float total = row_sum(sum[half]);
    const size_t row = size_t(blockIdx.x) * block + 16 * warp + lane / 4 + 8 * half;
#pragma unroll
    for (int j = 0; j < 8; ++j)
#pragma unroll
      for (int e = 0; e < 2; ++e)
        o[row * 64 + 8 * j + lane % 4 * 2 + e] = __fdiv_rn(acc[j][2 * half + e], total);
  }
}
