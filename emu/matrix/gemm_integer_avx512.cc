// Integer tiles for AVX-512 without VNNI: vpmaddwd multiplies pairs of 16-bit integers.
#if defined(__x86_64__)
#include <immintrin.h>

#define TWOFOUR_TILE_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512cd,avx2,fma")))
#include "twofour/emu/matrix/gemm_integer_tile.h"

namespace twofour::emu {
namespace {

struct Pairs {
  using Vector = __m512i;
  using Broadcast = Vector;
  static constexpr int rows = 1, columns = 16, a_words = 1, b_words = 16, lanes = 16;
  TWOFOUR_TILE_INLINE static Vector zero() { return _mm512_setzero_si512(); }
  TWOFOUR_TILE_INLINE static Vector load(const std::uint32_t* p) { return _mm512_load_si512(p); }
  TWOFOUR_TILE_INLINE static void store(Vector v, std::uint32_t* p, int) { _mm512_store_si512(p, v); }
  TWOFOUR_TILE_INLINE static Vector broadcast(const std::uint32_t* p) { return _mm512_set1_epi32(int(*p)); }
  TWOFOUR_TILE_INLINE static Vector add_products(Vector sum, Vector a, Vector b) {
    return _mm512_add_epi32(sum, _mm512_madd_epi16(a, b));
  }
  TWOFOUR_TILE_INLINE static void finish(const std::uint32_t* sums, std::uint32_t offset,
                                         const std::uint32_t* base, std::uint32_t* d, int count) {
    const auto inside = __mmask16(count >= lanes ? 0xffff : (1 << count) - 1);
    Vector sum = _mm512_add_epi32(_mm512_load_si512(sums), _mm512_set1_epi32(int(offset)));
    if (base != nullptr) sum = _mm512_add_epi32(sum, _mm512_maskz_loadu_epi32(inside, base));
    _mm512_mask_storeu_epi32(d, inside, sum);
  }
};

}  // namespace

constinit const IntegerKernel avx512_pairs = tile_kernel<Pairs, 6, 4>(IntegerForm::pairs);

}  // namespace twofour::emu
#endif
