#pragma once
// The register-blocked tile of the integer GEMM. A source file of one SIMD level defines TWOFOUR_TILE_TARGET
// (a target attribute, or nothing) and includes this file once; a Step says what the level's vectors do:
//   Vector                        32-bit sums, or packed words of B
//   rows, columns                 of D whose sums a vector holds
//   a_words, b_words              packed words that a step reads of those rows, and of those columns
//   Broadcast, broadcast(p)       the words of A, ready to meet every vector of B
//   zero(), load(p)
//   add_products(sum, a, b)       sum + the products of a step
//   store(sum, tile, stride)      sums to rows of words
//   lanes                         32-bit words that finish() handles
//   finish(sums, offset, base, d, count)   d = sums + offset + base (if not null), `count` words at most
#include "twofour/emu/matrix/gemm_integer_kernels.h"

#define TWOFOUR_TILE_INLINE TWOFOUR_TILE_TARGET inline __attribute__((always_inline))

namespace twofour::emu {
namespace {

/// Adds base and offsets to the sums of a tile and stores what lies inside D.
template <class Step, int Columns>
TWOFOUR_TILE_INLINE void finish_tile(const IntegerTile& t, const std::uint32_t (*sums)[Columns]) {
  for (int i = 0; i < t.rows; ++i) {
    const std::uint32_t* base = t.base == nullptr ? nullptr : t.base + i * t.base_stride;
    std::uint32_t* d = t.d + i * t.d_stride;
    for (int j = 0; j < t.columns; j += Step::lanes)
      Step::finish(&sums[i][j], t.row_offset[i], base == nullptr ? nullptr : base + j, d + j, t.columns - j);
  }
}

// Loops over the units of rows are recursions over a template parameter: with constant indices the sums stay
// in registers.

/// One step of units I, I + 1, ...
template <class Step, int I, int Units, int Used>
TWOFOUR_TILE_INLINE void add_step(typename Step::Vector (&sum)[Units][Used], const std::uint32_t* a,
                                  const typename Step::Vector (&y)[Used]) {
  const typename Step::Broadcast x = Step::broadcast(a + I * Step::a_words);
#pragma GCC unroll 4
  for (int v = 0; v < Used; ++v) sum[I][v] = Step::add_products(sum[I][v], x, y[v]);
  if constexpr (I + 1 < Units) add_step<Step, I + 1>(sum, a, y);
}

template <class Step, int I, int Units, int Used>
TWOFOUR_TILE_INLINE void clear(typename Step::Vector (&sum)[Units][Used]) {
#pragma GCC unroll 4
  for (int v = 0; v < Used; ++v) sum[I][v] = Step::zero();
  if constexpr (I + 1 < Units) clear<Step, I + 1>(sum);
}

template <class Step, int I, int Units, int Used, int Columns>
TWOFOUR_TILE_INLINE void store(const typename Step::Vector (&sum)[Units][Used],
                               std::uint32_t (*rows)[Columns]) {
#pragma GCC unroll 4
  for (int v = 0; v < Used; ++v) Step::store(sum[I][v], &rows[I * Step::rows][v * Step::columns], Columns);
  if constexpr (I + 1 < Units) store<Step, I + 1>(sum, rows);
}

/// The first `Used` of the `Vectors` vectors of columns, for Units * Step::rows rows.
template <class Step, int Units, int Vectors, int Used>
TWOFOUR_TILE_TARGET void run_vectors(const IntegerTile& t) {
  constexpr int columns = Vectors * Step::columns;
  typename Step::Vector sum[Units][Used];
  clear<Step, 0>(sum);
  const std::uint32_t *a = t.a, *b = t.b;
  for (std::int64_t s = 0; s < t.steps; ++s, a += Units * Step::a_words, b += Vectors * Step::b_words) {
    typename Step::Vector y[Used];
#pragma GCC unroll 4
    for (int v = 0; v < Used; ++v) y[v] = Step::load(b + v * Step::b_words);
    add_step<Step, 0>(sum, a, y);
  }
  alignas(64) std::uint32_t sums[Units * Step::rows][columns];
  store<Step, 0>(sum, sums);
  finish_tile<Step>(t, sums);
}

/// A tile of Units * Step::rows by Vectors * Step::columns, without the vectors that lie outside D.
template <class Step, int Units, int Vectors, int Used = Vectors>
TWOFOUR_TILE_TARGET void run_tile(const IntegerTile& t) {
  if constexpr (Used > 1)
    if (t.columns <= (Used - 1) * Step::columns) return run_tile<Step, Units, Vectors, Used - 1>(t);
  run_vectors<Step, Units, Vectors, Used>(t);
}

template <class Step, int Units, int Vectors>
constexpr IntegerKernel tile_kernel(IntegerForm form, bool signed_a = true) {
  return {form,
          Units * Step::rows,
          Vectors * Step::columns,
          Units * Step::a_words,
          Vectors * Step::b_words,
          signed_a,
          run_tile<Step, Units, Vectors>};
}

}  // namespace
}  // namespace twofour::emu
