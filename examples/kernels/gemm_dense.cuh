// D[M x N] = A[M x K] B[K x N] + C with dense mma. A is row-major, B is stored as its transpose (N x K), so that K
// is contiguous on both sides; C and D are row-major.
//
// A CTA of 4 warps computes a tile of TileM x TileN, each warp half of its rows and half of its columns. K is read in
// chunks of 64 bytes a row, each 2 instructions long. Three chunks are in shared memory: while one is multiplied,
// cp.async fetches the next two.
//
// Order of k: ascending, one accumulator an element, C first. That is a loop of the one instruction over k, so the
// bits are those of the whole-matrix path.
#pragma once
#include "mma_types.cuh"
#include "ptx_ops.cuh"

constexpr int chunk_bytes = 64, stages = 3, threads = 128, tile_n = 64;

// Bytes of shared memory that a tile takes.
template <int TileM, int TileN = tile_n>
constexpr int gemm_dense_shared = stages * (TileM + TileN) * chunk_bytes;

// Rows of one chunk to shared memory. `from` is the first byte of row 0, `pitch` the bytes from row to row.
template <int Rows>
struct CopyRows {
  const char* from;
  size_t pitch;
  __device__ void operator()(uint32_t to, int chunk) const {
    for (int i = threadIdx.x; i < Rows * 4; i += threads) {
      const int row = i / 4, unit = i % 4;
      cp_async_16(to + swizzled<chunk_bytes>(row, unit), from + row * pitch + size_t(chunk) * chunk_bytes + unit * 16);
    }
  }
};

// The accumulators of a warp: tiles of 16 x 8, TileM / 32 down and TileN / 16 across.
template <class Mma, int TileM, int TileN = tile_n>
struct Accumulators {
  typename Mma::Register tile[TileM / 32][TileN / 16][Mma::per_lane];
};

// The multiplications of chunks 0 .. chunks-1, added to acc.
template <class Mma, int TileM, int TileN = tile_n, class CopyA, class CopyB>
__device__ void multiply_chunks(Accumulators<Mma, TileM, TileN>& acc, char* shared, int chunks, const CopyA& copy_a,
                                const CopyB& copy_b) {
  constexpr int a_bytes = TileM * chunk_bytes, stage_bytes = a_bytes + TileN * chunk_bytes;
  const uint32_t base = shared_address(shared);
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int warp_row = warp / 2 * (TileM / 2), warp_col = warp % 2 * (TileN / 2);

  const auto fetch = [&](int chunk) {  // every turn commits a group, be it empty, so that the counts agree
    if (chunk < chunks) {
      const uint32_t stage = base + chunk % stages * stage_bytes;
      copy_a(stage, chunk);
      copy_b(stage + a_bytes, chunk);
    }
    cp_async_commit();
  };
  for (int chunk = 0; chunk < stages - 1; ++chunk) fetch(chunk);

  for (int chunk = 0; chunk < chunks; ++chunk) {
    cp_async_wait<stages - 2>();  // my part of this chunk is there
    __syncthreads();              // everyone's is, and everyone is done with the stage that is fetched next
    fetch(chunk + stages - 1);
    const uint32_t stage_a = base + chunk % stages * stage_bytes, stage_b = stage_a + a_bytes;
#pragma unroll
    for (int step = 0; step < 2; ++step) {
      uint32_t a[TileM / 32][4], b[TileN / 32][4];
#pragma unroll
      for (int i = 0; i < TileM / 32; ++i)  // registers: (row g, first half of k), (g + 8, first), (g, second), ...
        ldmatrix_x4(a[i], stage_a + swizzled<chunk_bytes>(warp_row + 16 * i + lane % 16, 2 * step + lane / 16));
#pragma unroll
      for (int j = 0; j < TileN / 32; ++j)  // two tiles of 8 columns: (tile 0, first half), (0, second), (1, first), ...
        ldmatrix_x4(b[j], stage_b + swizzled<chunk_bytes>(warp_col + 16 * j + lane % 8 + lane / 16 * 8,
                                                          2 * step + lane / 8 % 2));
#pragma unroll
      for (int i = 0; i < TileM / 32; ++i)
#pragma unroll
        for (int j = 0; j < TileN / 16; ++j) Mma::run(acc.tile[i][j], a[i], b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]);
    }
  }
  cp_async_wait<0>();
}

// Calls f(register, row, column) for the registers of a warp's accumulators, in pairs where a lane has two
// neighbouring columns in two registers. Rows and columns count from the CTA's tile.
template <class Mma, int TileM, int TileN = tile_n, class F>
__device__ void for_each_accumulator(Accumulators<Mma, TileM, TileN>& acc, const F& f) {
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
#pragma unroll
  for (int i = 0; i < TileM / 32; ++i)
#pragma unroll
    for (int j = 0; j < TileN / 16; ++j)
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int row = warp / 2 * (TileM / 2) + 16 * i + lane / 4 + 8 * half;
        const int col = warp % 2 * (TileN / 2) + 8 * j + lane % 4 * 2;
        f(&acc.tile[i][j][half * Mma::per_lane / 2], row, col);
      }
}

// The whole of it for M a multiple of TileM, N of TileN, and rows of A and B of a multiple of 64 bytes. grid:
// (N / TileN, M / TileM). c may be null: zeros.
template <class Mma, int TileM, int TileN = tile_n>
__device__ void gemm_dense(char* shared, const void* a, const void* b, const void* c, void* d, int n,
                           size_t row_bytes) {
  using Register = typename Mma::Register;
  constexpr int pair = Mma::per_lane / 2, columns = 2 / pair;  // registers of two columns; columns of a register
  const size_t row0 = size_t(blockIdx.y) * TileM, col0 = size_t(blockIdx.x) * TileN;
  Accumulators<Mma, TileM, TileN> acc;
  for_each_accumulator<Mma, TileM, TileN>(acc, [&](Register* r, int row, int col) {
    const Register* from = static_cast<const Register*>(c) + ((row0 + row) * n + col0 + col) / columns;
    for (int i = 0; i < pair; ++i) r[i] = c ? from[i] : Register{};
  });
  multiply_chunks<Mma, TileM, TileN>(acc, shared, int(row_bytes / chunk_bytes),
                                     CopyRows<TileM>{static_cast<const char*>(a) + row0 * row_bytes, row_bytes},
                                     CopyRows<TileN>{static_cast<const char*>(b) + col0 * row_bytes, row_bytes});
  for_each_accumulator<Mma, TileM, TileN>(acc, [&](Register* r, int row, int col) {
    Register* to = static_cast<Register*>(d) + ((row0 + row) * n + col0 + col) / columns;
    for (int i = 0; i < pair; ++i) to[i] = r[i];
  });
}
