// D[M x N] = A[M x K] B[K x N] + C with dense mma. A is row-major, B is stored as its transpose (N x K), so that K
// is contiguous on both sides; C and D are row-major.
//
// A CTA of 4 warps computes a tile of TileM x TileN, each warp half of its rows and half of its columns. K is read in
// chunks of 64 bytes a row, each 2 instructions long. Three chunks are in shared memory: while one is multiplied,
// cp.async fetches the next two. Tiles of 128 x 128 read chunks of 128 bytes, 4 instructions long.
//
// Order of k: ascending, one accumulator an element, C first. That is a loop of the one instruction over k, so the
// bits are those of the whole-matrix path.
#pragma once
#include "mma_types.cuh"
#include "ptx_ops.cuh"

constexpr int chunk_bytes = 64, stages = 3, threads = 128, tile_n = 64;

// Bytes of shared memory that a tile takes.
template <int TileM, int TileN = tile_n, int Chunk = chunk_bytes>
constexpr int gemm_dense_shared = stages * (TileM + TileN) * Chunk;

// Rows of one chunk to shared memory.
template <int Rows, int Chunk = chunk_bytes>
using CopyRows = CopyTile<Rows, Chunk, threads>;

// The accumulators of a warp: tiles of 16 x 8, TileM / 32 down and TileN / 16 across.
template <class Mma, int TileM, int TileN = tile_n>
struct Accumulators {
  typename Mma::Register tile[TileM / 32][TileN / 16][Mma::per_lane];
};

// The multiplications of chunks 0 .. chunks-1, added to acc.
template <class Mma, int TileM, int TileN = tile_n, int Chunk = chunk_bytes, class CopyA, class CopyB>
__device__ void multiply_chunks(Accumulators<Mma, TileM, TileN>& acc, char* shared, int chunks, const CopyA& copy_a,
                                const CopyB& copy_b) {
  constexpr int a_bytes = TileM * Chunk, stage_bytes = a_bytes + TileN * Chunk;
  const uint32_t base = shared_address(shared);
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  // Of ldmatrix's rows: registers of A (row g, first half of k), (g + 8, first), (g, second), ...; of two tiles of 8
  // columns of B (tile 0, first half), (0, second), (1, first), ... Bits of the unit that differ by step are exchanged
  // by XOR too.
  const uint32_t rows_a = swizzled<Chunk>(warp / 2 * (TileM / 2) + lane % 16, lane / 16);
  const uint32_t rows_b = a_bytes + swizzled<Chunk>(warp % 2 * (TileN / 2) + lane % 8 + lane / 16 * 8, lane / 8 % 2);

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
    const uint32_t stage = base + chunk % stages * stage_bytes;
#pragma unroll
    for (int step = 0; step < Chunk / 32; ++step) {
      uint32_t a[TileM / 32][4], b[TileN / 32][4];
      const uint32_t from_a = stage + (rows_a ^ 32 * step), from_b = stage + (rows_b ^ 32 * step);
      unrolled<TileM / 32>([&](auto i) { ldmatrix_x4<i.value * 16 * Chunk>(a[i.value], from_a); });
      unrolled<TileN / 32>([&](auto j) { ldmatrix_x4<j.value * 16 * Chunk>(b[j.value], from_b); });
#pragma unroll
      for (int i = 0; i < TileM / 32; ++i)
#pragma unroll
        for (int j = 0; j < TileN / 16; ++j) Mma::run(acc.tile[i][j], a[i], b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]);
    }
  }
  cp_async_wait<0>();
}

// Calls f(registers, row, column) for the registers of a warp's accumulators, in pairs where a lane has two
// neighbouring columns in two registers. Rows and columns count from the CTA's tile.
template <class Mma, int TileM, int TileN = tile_n, class F>
__device__ void for_each_accumulator(Accumulators<Mma, TileM, TileN>& acc, const F& f) {
  const size_t lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const size_t row0 = warp / 2 * (TileM / 2) + lane / 4, col0 = warp % 2 * (TileN / 2) + lane % 4 * 2;
#pragma unroll
  for (int i = 0; i < TileM / 32; ++i)
#pragma unroll
    for (int half = 0; half < 2; ++half)
#pragma unroll
      for (int j = 0; j < TileN / 16; ++j)
        f(&acc.tile[i][j][half * Mma::per_lane / 2], row0 + 16 * i + 8 * half, col0 + 8 * j);
}

// The whole of it for M a multiple of TileM, N of TileN, and rows of A and B of a multiple of Chunk. grid:
// (N / TileN, M / TileM). c may be null: zeros.
template <class Mma, int TileM, int TileN = tile_n, int Chunk = chunk_bytes>
__device__ void gemm_dense(char* shared, const void* a, const void* b, const void* c, void* d, int n,
                           size_t row_bytes) {
  using Register = typename Mma::Register;
  constexpr int pair = Mma::per_lane / 2, columns = 2 / pair;  // registers of two columns; columns of a register
  const size_t row0 = size_t(blockIdx.y) * TileM, col0 = size_t(blockIdx.x) * TileN, pitch = n / columns;
  const auto place = [&](size_t row, size_t col) { return (row0 + row) * pitch + (col0 + col) / columns; };
  Accumulators<Mma, TileM, TileN> acc = {};
  if (c != nullptr)
    for_each_accumulator<Mma, TileM, TileN>(acc, [&](Register* r, size_t row, size_t col) {
      load_registers<pair>(r, static_cast<const Register*>(c) + place(row, col));
    });
  multiply_chunks<Mma, TileM, TileN, Chunk>(
      acc, shared, int(row_bytes / Chunk),
      CopyRows<TileM, Chunk>(static_cast<const char*>(a) + row0 * row_bytes, row_bytes),
      CopyRows<TileN, Chunk>(static_cast<const char*>(b) + col0 * row_bytes, row_bytes));
  for_each_accumulator<Mma, TileM, TileN>(acc, [&](Register* r, size_t row, size_t col) {
    store_registers<pair>(static_cast<Register*>(d) + place(row, col), r);
  });
}
