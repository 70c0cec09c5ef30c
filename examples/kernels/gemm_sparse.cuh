// D[M x N] = A[M x K] B[K x N] + C with mma.sp: A is compressed (M x K/2 stored elements and one 4-bit code a group),
// B is stored as its transpose (N x K). C and D are row-major.
//
// A CTA of 4 warps computes Tile x Tile, each warp half of its rows and half of its columns. K is read in chunks of 64 stored bytes of A, which is 128
// bytes of B: 2 full instructions. Three chunks are in shared memory, fetched by cp.async.
//
// Metadata comes in one of two layouts, straight from global memory to registers; see RowwiseCodes and
// RegisterWords. Order of k: ascending, one accumulator an element, C first.
#pragma once
#include "mma_sp_types.cuh"
#include "ptx_ops.cuh"

constexpr int stages = 3, threads = 128, a_row = 64, b_row = 128;  // bytes of a row of a chunk
// Bytes of shared memory that a tile takes.
template <int Tile = 64>
constexpr int gemm_sparse_shared = stages * Tile * (a_row + b_row);

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

// Rows of one chunk of A and B to shared memory.
template <int Tile>
__device__ inline void copy_chunk(uint32_t to, const char* a, const char* b, size_t a_bytes, int chunk) {
  for (int i = threadIdx.x; i < Tile * 4; i += threads)
    cp_async_16(to + swizzled<a_row>(i / 4, i % 4), a + i / 4 * a_bytes + size_t(chunk) * a_row + i % 4 * 16);
  for (int i = threadIdx.x; i < Tile * 8; i += threads)
    cp_async_16(to + Tile * a_row + swizzled<b_row>(i / 8, i % 8),
                b + i / 8 * 2 * a_bytes + size_t(chunk) * b_row + i % 8 * 16);
}

template <class Mma, int Tile>
struct SparseAccumulators {
  typename Mma::Register tile[Tile / 32][Tile / 16][Mma::per_lane];
};

// a_bytes: bytes of a stored row of A, a multiple of 64. step(acc, i, j, s, a, b, chunk) multiplies tile (i, j) of the
// warp with full instruction s of the chunk. before(chunk) loads metadata.
template <class Mma, int Tile, class Before, class Step>
__device__ void multiply_sparse(char* shared, const void* a, const void* b, const void* c, void* d, int n,
                                size_t a_bytes, const Before& before, const Step& step) {
  using Register = typename Mma::Register;
  constexpr int pair = Mma::per_lane / 2, columns = 2 / pair;
  constexpr int a_stage = Tile * a_row, stage_bytes = a_stage + Tile * b_row;
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int warp_row = warp / 2 * (Tile / 2), warp_col = warp % 2 * (Tile / 2);
  const char* from_a = static_cast<const char*>(a) + size_t(blockIdx.y) * Tile * a_bytes;
  const char* from_b = static_cast<const char*>(b) + size_t(blockIdx.x) * Tile * 2 * a_bytes;
  const uint32_t base = shared_address(shared);
  const int chunks = int(a_bytes / a_row);
  const auto at = [&](int i, int j, int half) {
    const size_t row = size_t(blockIdx.y) * Tile + warp_row + 16 * i + lane / 4 + 8 * half;
    return (row * n + size_t(blockIdx.x) * Tile + warp_col + 8 * j + lane % 4 * 2) / columns;
  };

  SparseAccumulators<Mma, Tile> acc;
#pragma unroll
  for (int i = 0; i < Tile / 32; ++i)
#pragma unroll
    for (int j = 0; j < Tile / 16; ++j)
#pragma unroll
      for (int r = 0; r < Mma::per_lane; ++r)
        acc.tile[i][j][r] = static_cast<const Register*>(c)[at(i, j, r / pair) + r % pair];

  for (int chunk = 0; chunk < stages - 1; ++chunk) {
    if (chunk < chunks) copy_chunk<Tile>(base + chunk * stage_bytes, from_a, from_b, a_bytes, chunk);
    cp_async_commit();
  }
  for (int chunk = 0; chunk < chunks; ++chunk) {
    cp_async_wait<stages - 2>();
    __syncthreads();
    const int next = chunk + stages - 1;
    if (next < chunks) copy_chunk<Tile>(base + next % stages * stage_bytes, from_a, from_b, a_bytes, next);
    cp_async_commit();
    before(chunk);
    const uint32_t stage = base + chunk % stages * stage_bytes;
#pragma unroll
    for (int s = 0; s < 2; ++s) {
      uint32_t fragment_a[Tile / 32][4], fragment_b[Tile / 16][4];
#pragma unroll
      for (int i = 0; i < Tile / 32; ++i)
        ldmatrix_x4(fragment_a[i], stage + swizzled<a_row>(warp_row + 16 * i + lane % 16, 2 * s + lane / 16));
#pragma unroll
      for (int j = 0; j < Tile / 16; ++j)  // 8 columns of B, 64 bytes of k
        ldmatrix_x4(fragment_b[j], stage + a_stage + swizzled<b_row>(warp_col + 8 * j + lane % 8, 4 * s + lane / 8));
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
      for (int r = 0; r < Mma::per_lane; ++r)
        static_cast<Register*>(d)[at(i, j, r / pair) + r % pair] = acc.tile[i][j][r];
}

// Metadata of layout `logical`; a register serves all selectors. grid: (N / Tile, M / Tile).
template <class Mma, int Tile = 64>
__device__ void gemm_sparse_codes(char* shared, const void* a, const uint8_t* codes, const void* b, const void* c,
                                  void* d, int n, int groups, size_t a_bytes) {
  constexpr int registers = 2 / Mma::selectors;  // of metadata in a chunk, for 16 rows
  const RowwiseCodes<Mma::selectors == 2> load{codes, groups};
  const int row = blockIdx.y * Tile + threadIdx.x / 64 * (Tile / 2);
  uint32_t e[Tile / 32][registers];
  multiply_sparse<Mma, Tile>(
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
template <class Mma, int Selector>
__device__ void gemm_sparse_words(char* shared, const void* a, const uint32_t* words, const void* b, const void* c,
                                  void* d, int n, size_t a_bytes) {
  const RegisterWords load{words, int(a_bytes / 32)};
  const int tile_m = blockIdx.y * 4 + threadIdx.x / 64 * 2;
  uint32_t e[2][2];
  multiply_sparse<Mma, 64>(
      shared, a, b, c, d, n, a_bytes,
      [&](int chunk) {
#pragma unroll
        for (int i = 0; i < 2; ++i)
#pragma unroll
          for (int s = 0; s < 2; ++s) e[i][s] = load(tile_m + i, chunk * 2 + s);
      },
      [&](typename Mma::Register(&acc)[Mma::per_lane], int i, int s, const uint32_t(&fa)[4], const uint32_t(&fb)[4]) {
        Mma::template run<Selector>(acc, fa, fb, e[i][s]);
      });
}
