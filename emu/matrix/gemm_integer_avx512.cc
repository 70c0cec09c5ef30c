// Integer tiles for AVX-512 without VNNI: vpmaddwd multiplies pairs of 16-bit integers.
#if defined(__x86_64__)
#include <immintrin.h>

#define TWOFOUR_TILE_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512cd,avx2,fma")))
#include "twofour/emu/matrix/gemm_integer_tile.h"

namespace twofour::emu {
namespace {

struct Pairs {
  using Vector = __m512i;
  static constexpr int lanes = 16;
  TWOFOUR_TILE_INLINE static Vector zero() { return _mm512_setzero_si512(); }
  TWOFOUR_TILE_INLINE static Vector load(const std::uint32_t* p) { return _mm512_load_si512(p); }
  TWOFOUR_TILE_INLINE static void store(std::uint32_t* p, Vector v) { _mm512_store_si512(p, v); }
  TWOFOUR_TILE_INLINE static Vector broadcast(const std::uint32_t* p) { return _mm512_set1_epi32(int(*p)); }
  TWOFOUR_TILE_INLINE static Vector add_products(Vector sum, Vector a, Vector b) {
    return _mm512_add_epi32(sum, _mm512_madd_epi16(a, b));
  }
};

}  // namespace

const IntegerKernel avx512_pairs{IntegerForm::pairs, false, 6, 64, true, run_tile<Pairs, 6, 4>};

}  // namespace twofour::emu
#endif
