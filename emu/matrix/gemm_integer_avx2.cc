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
  using Broadcast = Vector;
  static constexpr int rows = 1, columns = 8, a_words = 1, b_words = 8, lanes = 8;
  TWOFOUR_TILE_INLINE static Vector zero() { return _mm256_setzero_si256(); }
  TWOFOUR_TILE_INLINE static Vector load(const std::uint32_t* p) {
    return _mm256_load_si256(reinterpret_cast<const Vector*>(p));
  }
  TWOFOUR_TILE_INLINE static void store(Vector v, std::uint32_t* p, int) {
    _mm256_store_si256(reinterpret_cast<Vector*>(p), v);
  }
  TWOFOUR_TILE_INLINE static Vector broadcast(const std::uint32_t* p) { return _mm256_set1_epi32(int(*p)); }
  TWOFOUR_TILE_INLINE static Vector add_products(Vector sum, Vector a, Vector b) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
  }
  TWOFOUR_TILE_INLINE static void finish(const std::uint32_t* sums, std::uint32_t offset,
                                         const std::uint32_t* base, std::uint32_t* d, int count) {
    const Vector inside =
        _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    Vector sum = _mm256_add_epi32(load(sums), _mm256_set1_epi32(int(offset)));
    if (base != nullptr)
      sum = _mm256_add_epi32(sum, _mm256_maskload_epi32(reinterpret_cast<const int*>(base), inside));
    _mm256_maskstore_epi32(reinterpret_cast<int*>(d), inside, sum);
  }
};

}  // namespace

constinit const IntegerKernel avx2_pairs = tile_kernel<Pairs, 6, 2>(IntegerForm::pairs);

}  // namespace twofour::emu
#endif
