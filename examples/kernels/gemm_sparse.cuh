// D[M x N] = A[M x K] B[K x N] + C with mma.sp: A is compressed (M x K/2 stored elements and one 4-bit code a group),
// B is stored as its transpose (N x K). C and D are row-major.
//
// A CTA of 4 warps computes Tile x Tile, each warp half of its rows and half of its columns. K is read in chunks of
// Chunk stored bytes of A, which is twice that of B: a full instruction for 32 of them. Three chunks are in shared
// memory, fetched by cp.async.
//
// Metadata comes in one of two layouts, straight from global memory to registers; see RowwiseCodes and
// RegisterWords. Order of k: ascending, one accumulator an element, C first.
#pragma once
#include "mma_sp_types.cuh"
#include "ptx_ops.cuh"

constexpr int stages = 3, threads = 128;
// Bytes of shared memory that a tile takes.
template <int Tile = 64, int Chunk = 64>
constexpr int gemm_sparse_shared = stages * Tile * 3 * Chunk;

// Four codes, a byte each, as four nibbles.
__device__ inline uint32_t four_nibbles(uint32_t codes) {
  codes = (codes | codes >> 4) & 0x00ff00ff;
  return (codes | codes >> 8) & 0xffff;
}

// Layout `logical`: M x groups, a byte a code, row-major (`twofour compress --codes`). Each lane fetches the 8 codes
// of its word and packs them, for 16 rows from `row` on and 16 groups from `group` on. With g = lane / 4 and
// t = lane % 4:
//   16- and 32-bit types: two rows in a word. Row g in bits 0-15, row g + 8 in 16-31, both groups 4t .. 4t + 3.
//   8- and 4-bit types: a row a word. Row g + 8 (t % 2), groups 8 (t / 2) .. + 7.
// Lane t of a quad is then the one that selector t (four instructions), t / 2 (two) or 0 (one) names.
template <bool TwoRowsAWord>
struct RowwiseCodes {
  const uint8_t* codes;
  int groups;  // of a row of A
  __device__ uint32_t operator()(int row, int group) const {
    const int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
    const int r0 = TwoRowsAWord ? g : g + t % 2 * 8, r1 = TwoRowsAWord ? g + 8 : r0;
    const int g0 = TwoRowsAWord ? 4 * t : t / 2 * 8, g1 = TwoRowsAWord ? g0 : g0 + 4;
    const auto load = [&](int r, int c) {
      return *reinterpret_cast<const uint32_t*>(codes + size_t(row + r) * groups + group + c);
    };
    return four_nibbles(load(r0, g0)) | four_nibbles(load(r1, g1)) << 16;
  }
};

// Layout `ptx`: the `e` registers themselves, 32 words for each tile of 16 rows and each instruction along k, made for
// one selector (`twofour compress --metadata`). A word an instruction: lane l of the warp reads word l.
struct RegisterWords {
  const uint32_t* words;
  int tiles_k;  // instructions along K
  __device__ uint32_t operator()(int tile_m, int tile_k) const {
    return words[(size_t(tile_m) * tiles_k + tile_k) * 32 + threadIdx.x % 32];
  }
};

template <class Mma, int Tile>
struct SparseAccumulators {
  typename Mma::Register tile[Tile / 32][Tile / 16][Mma::per_lane];
};

// a_bytes: bytes of a stored row of A, a multiple of Chunk. step(acc, i, j, s, a, b, chunk) multiplies tile (i, j) of the
// warp with full instruction s of the chunk. before(chunk) loads metadata.
template <class Mma, int Tile, int Chunk, class Before, class Step>
__device__ void multiply_sparse(char* shared, const void* a, const void* b, const void* c, void* d, int n,
                                size_t a_bytes, const Before& before, const Step& step) {
  using Register = typename Mma::Register;
  constexpr int pair = Mma::per_lane / 2, columns = 2 / pair;
  constexpr int a_row = Chunk, b_row = 2 * Chunk, a_stage = Tile * a_row, stage_bytes = a_stage + Tile * b_row;
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int warp_row = warp / 2 * (Tile / 2), warp_col = warp % 2 * (Tile / 2);
  const CopyTile<Tile, a_row, threads> copy_a(static_cast<const char*>(a) + size_t(blockIdx.y) * Tile * a_bytes, a_bytes);
  const CopyTile<Tile, b_row, threads> copy_b(static_cast<const char*>(b) + size_t(blockIdx.x) * Tile * 2 * a_bytes,
                                              2 * a_bytes);
  const auto copy = [&](uint32_t stage, int chunk) {
    copy_a(stage, chunk);
    copy_b(stage + a_stage, chunk);
  };
  const uint32_t base = shared_address(shared);
  // Of ldmatrix's rows; of B 8 columns and 64 bytes of k. Bits of the unit that differ by instruction are exchanged by
  // XOR too.
  const uint32_t rows_a = swizzled<a_row>(warp_row + lane % 16, lane / 16);
  const uint32_t rows_b = a_stage + swizzled<b_row>(warp_col + lane % 8, lane / 8);
  const int chunks = int(a_bytes / a_row);
  const auto at = [&](int i, int j, int half) {
    const size_t row = size_t(blockIdx.y) * Tile + warp_row + lane / 4 + (16 * i + 8 * half);
    const size_t col = size_t(blockIdx.x) * Tile + warp_col + lane % 4 * 2;
    return row * (n / columns) + col / columns + 8 / columns * j;
  };

  SparseAccumulators<Mma, Tile> acc;
#pragma unroll
  for (int i = 0; i < Tile / 32; ++i)
#pragma unroll
    for (int j = 0; j < Tile / 16; ++j)
#pragma unroll
      for (int half = 0; half < 2; ++half)
        load_registers<pair>(&acc.tile[i][j][half * pair], static_cast<const Register*>(c) + at(i, j, half));

  for (int chunk = 0; chunk < stages - 1; ++chunk) {
    if (chunk < chunks) copy(base + chunk * stage_bytes, chunk);
    cp_async_commit();
  }
  for (int chunk = 0; chunk < chunks; ++chunk) {
    cp_async_wait<stages - 2>();
    __syncthreads();
    const int next = chunk + stages - 1;
    if (next < chunks) copy(base + next % stages * stage_bytes, next);
    cp_async_commit();
    before(chunk);
    const uint32_t stage = base + chunk % stages * stage_bytes;
#pragma unroll
    for (int s = 0; s < Chunk / 32; ++s) {
      uint32_t fragment_a[Tile / 32][4], fragment_b[Tile / 16][4];
      const uint32_t at_a = stage + (rows_a ^ 32 * s), at_b = stage + (rows_b ^ 64 * s);
      unrolled<Tile / 32>([&](auto i) { ldmatrix_x4<i.value * 16 * a_row>(fragment_a[i.value], at_a); });
      unrolled<Tile / 16>([&](auto j) { ldmatrix_x4<j.value * 8 * b_row>(fragment_b[j.value], at_b); });
#pragma unroll
      for (int i = 0; i < Tile / 32; ++i)
#pragma unroll
        for (int j = 0; j < Tile / 16; ++j) step(acc.tile[i][j], i, s, fragment_a[i], fragment_b[j]);
    }
  }
  cp_async_wait<0>();
#pragma unroll
  for (int i = 0; i < Tile / 32; ++i)
#pragma unroll
    for (int j = 0; j < Tile / 16; ++j)
#pragma unroll
      for (int half = 0; half < 2; ++half)
        store_registers<pair>(static_cast<Register*>(d) + at(i, j, half), &acc.tile[i][j][half * pair]);
}

// Metadata of layout `logical`; a register serves all selectors. grid: (N / Tile, M / Tile).
template <class Mma, int Tile = 64>
__device__ void gemm_sparse_codes(char* shared, const void* a, const uint8_t* codes, const void* b, const void* c,
                                  void* d, int n, int groups, size_t a_bytes) {
  constexpr int registers = 2 / Mma::selectors;  // of metadata in a chunk, for 16 rows
  const RowwiseCodes<Mma::selectors == 2> load{codes, groups};
  const int row = blockIdx.y * Tile + threadIdx.x / 64 * (Tile / 2);
  uint32_t e[Tile / 32][registers];
  multiply_sparse<Mma, Tile, 64>(
      shared, a, b, c, d, n, a_bytes,
      [&](int chunk) {
#pragma unroll
        for (int i = 0; i < Tile / 32; ++i)
#pragma unroll
          for (int r = 0; r < registers; ++r) e[i][r] = load(row + 16 * i, (chunk * registers + r) * 16);
      },
      [&](typename Mma::Register(&acc)[Mma::per_lane], int i, int s, const uint32_t(&fa)[4], const uint32_t(&fb)[4]) {
        if (Mma::selectors == 2 && s == 1)
          Mma::template run<Mma::selectors - 1>(acc, fa, fb, e[i][0]);
        else
          Mma::template run<0>(acc, fa, fb, e[i][s % registers]);
      });
}

// Metadata of layout `ptx` made for `Selector`; a register an instruction.
template <class Mma, int Selector, int Tile = 64, int Chunk = 64>
__device__ void gemm_sparse_words(char* shared, const void* a, const uint32_t* words, const void* b, const void* c,
                                  void* d, int n, size_t a_bytes) {
  const RegisterWords load{words, int(a_bytes / 32)};
  const int tile_m = blockIdx.y * (Tile / 16) + threadIdx.x / 64 * (Tile / 32);
  constexpr int instructions = Chunk / 32;
  uint32_t e[Tile / 32][instructions];
  multiply_sparse<Mma, Tile, Chunk>(
      shared, a, b, c, d, n, a_bytes,
      [&](int chunk) {
#pragma unroll
        for (int i = 0; i < Tile / 32; ++i)
#pragma unroll
          for (int s = 0; s < instructions; ++s) e[i][s] = load(tile_m + i, chunk * instructions + s);
      },
      [&](typename Mma::Register(&acc)[Mma::per_lane], int i, int s, const uint32_t(&fa)[4], const uint32_t(&fb)[4]) {
        Mma::template run<Selector>(acc, fa, fb, e[i][s]);
      });
}
