// Integer tiles for AVX2: vpmaddwd multiplies pairs of 16-bit integers. (vpmaddubsw takes bytes but
// saturates.)
#if defined(__x86_64__)
#include <immintrin.h>

#define TWOFOUR_TILE_TARGET __attribute__((target("avx2,fma")))
#include "twofour/emu/matrix/gemm_integer_tile.h"

namespace twofour::emu {
namespace {

struct Pairs {
  using Vector = __m256i;
  static constexpr int lanes = 8;
  TWOFOUR_TILE_INLINE static Vector zero() { return _mm256_setzero_si256(); }
  TWOFOUR_TILE_INLINE static Vector load(const std::uint32_t* p) {
    return _mm256_load_si256(reinterpret_cast<const Vector*>(p));
  }
  TWOFOUR_TILE_INLINE static void store(std::uint32_t* p, Vector v) {
    _mm256_store_si256(reinterpret_cast<Vector*>(p), v);
  }
  TWOFOUR_TILE_INLINE static Vector broadcast(const std::uint32_t* p) { return _mm256_set1_epi32(int(*p)); }
  TWOFOUR_TILE_INLINE static Vector add_products(Vector sum, Vector a, Vector b) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
  }
};

}  // namespace

const IntegerKernel avx2_pairs{IntegerForm::pairs, false, 6, 16, true, run_tile<Pairs, 6, 2>};

}  // namespace twofour::emu
#endif
