// Integer tiles for AVX-512 with VNNI and VPOPCNTDQ. vpdpbusd multiplies unsigned by signed bytes and adds
// four products to a 32-bit lane without saturation; vpopcntd counts the ones of a lane.
#if defined(__x86_64__)
#include <immintrin.h>

#define TWOFOUR_TILE_TARGET \
  __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512cd,avx512vnni,avx512vpopcntdq,avx2,fma")))
#include "twofour/emu/matrix/gemm_integer_tile.h"

namespace twofour::emu {
namespace {

struct Lanes {
  using Vector = __m512i;
  static constexpr int lanes = 16;
  TWOFOUR_TILE_INLINE static Vector zero() { return _mm512_setzero_si512(); }
  TWOFOUR_TILE_INLINE static Vector load(const std::uint32_t* p) { return _mm512_load_si512(p); }
  TWOFOUR_TILE_INLINE static void store(std::uint32_t* p, Vector v) { _mm512_store_si512(p, v); }
  TWOFOUR_TILE_INLINE static Vector broadcast(const std::uint32_t* p) { return _mm512_set1_epi32(int(*p)); }
};

struct SignedA : Lanes {
  TWOFOUR_TILE_INLINE static Vector add_products(Vector sum, Vector a, Vector b) {
    return _mm512_dpbusd_epi32(sum, b, a);
  }
};

struct UnsignedA : Lanes {
  TWOFOUR_TILE_INLINE static Vector add_products(Vector sum, Vector a, Vector b) {
    return _mm512_dpbusd_epi32(sum, a, b);
  }
};

struct AndCount : Lanes {
  TWOFOUR_TILE_INLINE static Vector add_products(Vector sum, Vector a, Vector b) {
    return _mm512_add_epi32(sum, _mm512_popcnt_epi32(_mm512_and_si512(a, b)));
  }
};

struct XorCount : Lanes {
  TWOFOUR_TILE_INLINE static Vector add_products(Vector sum, Vector a, Vector b) {
    return _mm512_add_epi32(sum, _mm512_popcnt_epi32(_mm512_xor_si512(a, b)));
  }
};

// ---- Compressed A: two rows at a time. A vector of B holds eight columns of eight k, two columns to 128 bits;
// the shuffle that a pair of rows asks for leaves [c0 r0][c0 r1][c1 r0][c1 r1] in each 128 bits.
constexpr int pairs = 6, sparse_vectors = 4, sparse_columns = 8 * sparse_vectors;

/// Splits the sums of a pair of rows and eight columns into two rows.
TWOFOUR_TILE_INLINE void store_pair(__m512i sum, std::uint32_t* even, std::uint32_t* odd) {
  const __m512i order = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15);
  const __m512i rows = _mm512_permutexvar_epi32(order, sum);
  _mm256_store_si256(reinterpret_cast<__m256i*>(even), _mm512_castsi512_si256(rows));
  _mm256_store_si256(reinterpret_cast<__m256i*>(odd), _mm512_extracti64x4_epi64(rows, 1));
}

template <class Step, int Used>
TWOFOUR_TILE_TARGET void run_sparse_vectors(const IntegerTile& t) {
  __m512i sum[pairs][Used];
#pragma GCC unroll 16
  for (int i = 0; i < pairs; ++i)
#pragma GCC unroll 16
    for (int v = 0; v < Used; ++v) sum[i][v] = _mm512_setzero_si512();
  const std::uint32_t *a = t.a, *b = t.b;
  for (std::int64_t s = 0; s < t.steps; ++s, a += 6 * pairs, b += 2 * sparse_columns) {
    __m512i y[Used];
#pragma GCC unroll 16
    for (int v = 0; v < Used; ++v) y[v] = _mm512_load_si512(b + 16 * v);
#pragma GCC unroll 16
    for (int i = 0; i < pairs; ++i) {
      const auto* place = reinterpret_cast<const __m128i*>(a + 6 * i);
      const __m512i select = _mm512_broadcast_i32x4(_mm_loadu_si128(place));
      const __m512i x = _mm512_broadcastq_epi64(_mm_loadl_epi64(place + 1));
#pragma GCC unroll 16
      for (int v = 0; v < Used; ++v)
        sum[i][v] = Step::add_products(sum[i][v], x, _mm512_shuffle_epi8(y[v], select));
    }
  }
  alignas(64) std::uint32_t sums[2 * pairs][sparse_columns];
#pragma GCC unroll 16
  for (int i = 0; i < pairs; ++i)
#pragma GCC unroll 16
    for (int v = 0; v < Used; ++v) store_pair(sum[i][v], &sums[2 * i][8 * v], &sums[2 * i + 1][8 * v]);
  finish_tile<sparse_columns>(t, sums);
}

template <class Step, int Used = sparse_vectors>
TWOFOUR_TILE_TARGET void run_sparse_tile(const IntegerTile& t) {
  if constexpr (Used > 1)
    if (t.columns <= (Used - 1) * 8) return run_sparse_tile<Step, Used - 1>(t);
  run_sparse_vectors<Step, Used>(t);
}

constexpr int rows = 6, vectors = 4, columns = 16 * vectors;
constexpr auto bytes = IntegerForm::bytes, bits = IntegerForm::bits;
constexpr IntegerKernel signed_a{bytes, false, rows, columns, true, run_tile<SignedA, rows, vectors>};
constexpr IntegerKernel unsigned_a{bytes, false, rows, columns, false, run_tile<UnsignedA, rows, vectors>};
constexpr IntegerKernel and_count{bits, false, rows, columns, true, run_tile<AndCount, rows, vectors>};
constexpr IntegerKernel xor_count{bits, false, rows, columns, true, run_tile<XorCount, rows, vectors>};
constexpr IntegerKernel sparse_signed_a{bytes, true, 2 * pairs, sparse_columns, true, run_sparse_tile<SignedA>};
constexpr IntegerKernel sparse_unsigned_a{bytes, true, 2 * pairs, sparse_columns, false,
                                          run_sparse_tile<UnsignedA>};

}  // namespace

const IntegerKernel* vnni_kernel(const isa::Instruction& i) {
  if (i.op == isa::BitOp::and_popc) return &and_count;
  if (i.op == isa::BitOp::xor_popc) return &xor_count;
  if (i.a == isa::ElementType::u8) return i.is_sparse() ? &sparse_unsigned_a : &unsigned_a;
  return i.is_sparse() ? &sparse_signed_a : &signed_a;
}

}  // namespace twofour::emu
#endif
