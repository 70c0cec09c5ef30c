#pragma once
// The register-blocked tile of the integer GEMM. A source file of one SIMD level defines TWOFOUR_TILE_TARGET
// (a target attribute, or nothing) and includes this file once; a Step says what the level's vectors do:
//   Vector, lanes                     32-bit lanes, a column each
//   zero(), load(p), store(p, v)
//   broadcast(p)                      one word to every lane
//   add_products(sum, a, b)           sum + the products of a lane's word of k
#include "twofour/emu/matrix/gemm_integer_kernels.h"

#define TWOFOUR_TILE_INLINE TWOFOUR_TILE_TARGET inline __attribute__((always_inline))

namespace twofour::emu {
namespace {

/// Adds base and offsets to the sums of a tile and stores what lies inside D.
template <int Columns>
TWOFOUR_TILE_INLINE void finish_tile(const IntegerTile& t, const std::uint32_t (*sums)[Columns]) {
  for (int i = 0; i < t.rows; ++i) {
    std::uint32_t* d = t.d + i * t.d_stride;
    const std::uint32_t offset = t.row_offset[i];
    if (t.base == nullptr) {
      for (int j = 0; j < t.columns; ++j) d[j] = sums[i][j] + offset;
      continue;
    }
    const std::uint32_t* base = t.base + i * t.base_stride;
    for (int j = 0; j < t.columns; ++j) d[j] = sums[i][j] + offset + base[j];
  }
}

/// The first `Used` of `Vectors` vectors of columns.
template <class Step, int Rows, int Vectors, int Used>
TWOFOUR_TILE_TARGET void run_vectors(const IntegerTile& t) {
  using Vector = typename Step::Vector;
  constexpr int columns = Vectors * Step::lanes;
  Vector sum[Rows][Used];
#pragma GCC unroll 16
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 16
    for (int v = 0; v < Used; ++v) sum[i][v] = Step::zero();
  const std::uint32_t *a = t.a, *b = t.b;
  for (std::int64_t s = 0; s < t.steps; ++s, a += Rows, b += columns) {
    Vector y[Used];
#pragma GCC unroll 16
    for (int v = 0; v < Used; ++v) y[v] = Step::load(b + v * Step::lanes);
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
      const Vector x = Step::broadcast(a + i);
#pragma GCC unroll 16
      for (int v = 0; v < Used; ++v) sum[i][v] = Step::add_products(sum[i][v], x, y[v]);
    }
  }
  alignas(64) std::uint32_t sums[Rows][columns];
#pragma GCC unroll 16
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 16
    for (int v = 0; v < Used; ++v) Step::store(&sums[i][v * Step::lanes], sum[i][v]);
  finish_tile<columns>(t, sums);
}

/// A tile of Rows x (Vectors * lanes), without the vectors that lie outside D.
template <class Step, int Rows, int Vectors, int Used = Vectors>
TWOFOUR_TILE_TARGET void run_tile(const IntegerTile& t) {
  if constexpr (Used > 1)
    if (t.columns <= (Used - 1) * Step::lanes) return run_tile<Step, Rows, Vectors, Used - 1>(t);
  run_vectors<Step, Rows, Vectors, Used>(t);
}

}  // namespace
}  // namespace twofour::emu
