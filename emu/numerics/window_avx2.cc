// The window kernels for AVX2: 8 lanes. This file alone is compiled with these instructions.
#include <immintrin.h>

#include "twofour/emu/numerics/window_rounding.h"

namespace twofour::emu {
namespace {

struct Avx2 : CorrectedRounding<Avx2> {
  using Floats = __m256;
  using Integers = __m256i;
  static constexpr int lanes = 8;

  static TWOFOUR_INLINE Floats load(const float* p) { return _mm256_loadu_ps(p); }
  static TWOFOUR_INLINE void store(float* p, Floats x) { _mm256_storeu_ps(p, x); }
  static TWOFOUR_INLINE Integers load_bytes(const std::byte* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static TWOFOUR_INLINE Floats floats(float x) { return _mm256_set1_ps(x); }
  static TWOFOUR_INLINE Integers integers(std::uint32_t x) { return _mm256_set1_epi32(int(x)); }
  static TWOFOUR_INLINE Floats as_floats(Integers x) { return _mm256_castsi256_ps(x); }
  static TWOFOUR_INLINE Integers as_integers(Floats x) { return _mm256_castps_si256(x); }
  static TWOFOUR_INLINE Floats mul(Floats x, Floats y) { return _mm256_mul_ps(x, y); }
  static TWOFOUR_INLINE Integers add(Integers x, Integers y) { return _mm256_add_epi32(x, y); }
  static TWOFOUR_INLINE Integers sub(Integers x, Integers y) { return _mm256_sub_epi32(x, y); }
  static TWOFOUR_INLINE Integers truncate(Floats x) { return _mm256_cvttps_epi32(x); }
  static TWOFOUR_INLINE Integers max_bytes(Integers x, Integers y) { return _mm256_max_epu8(x, y); }
  static TWOFOUR_INLINE Integers subtract_bytes(Integers x, Integers y) { return _mm256_subs_epu8(x, y); }
  static TWOFOUR_INLINE Floats magnitude(Floats x) {
    return _mm256_and_ps(x, as_floats(integers(0x7fffffff)));
  }

  /// Of four words at p the one that the low two bits of each lane name.
  static TWOFOUR_INLINE Integers select(const void* p, Integers which) {
    const __m256 table = _mm256_broadcast_ps(static_cast<const __m128*>(p));
    return as_integers(_mm256_permutevar_ps(table, which));
  }
  template <int v>
  static TWOFOUR_INLINE Integers field(Integers bytes) {
    if constexpr (v == 3)
      return _mm256_srli_epi32(bytes, 1);
    else
      return _mm256_slli_epi32(bytes, 23 - 8 * v);
  }
  template <bool half>
  static TWOFOUR_INLINE Integers emax_field(Integers field, Floats acc) {
    const Integers mask = integers(0x7f800000);
    const Integers emax =
        _mm256_max_epi32(_mm256_and_si256(field, mask), _mm256_and_si256(as_integers(acc), mask));
    if constexpr (!half) return emax;
    const Floats nonzero = _mm256_cmp_ps(acc, _mm256_setzero_ps(), _CMP_NEQ_UQ);
    return _mm256_max_epi32(emax, _mm256_and_si256(as_integers(nonzero), integers(113u << 23)));
  }

  /// One unit in the last place less where `error`, which is what nearest rounding left out, points to zero.
  static TWOFOUR_INLINE Floats cut(Floats nearest, Integers error) {
    const Integers away = _mm256_srai_epi32(_mm256_sign_epi32(error, as_integers(nearest)), 31);
    return as_floats(add(as_integers(nearest), away));
  }
  static TWOFOUR_INLINE Floats set_last(Floats x, Integers error) {
    const Integers exact = _mm256_cmpeq_epi32(error, _mm256_setzero_si256());
    return as_floats(_mm256_or_si256(as_integers(x), _mm256_andnot_si256(exact, integers(1))));
  }
  static TWOFOUR_INLINE Floats convert(Integers x) { return _mm256_cvtepi32_ps(x); }
  /// sum + more to the nearest float, from an exact multiple of 256 and a rest in [0, 510], and the error.
  static TWOFOUR_INLINE Floats nearest_sum(Integers sum, Integers more, Integers& error) {
    const Integers mask = integers(255);
    const Floats high = _mm256_add_ps(_mm256_cvtepi32_ps(_mm256_andnot_si256(mask, sum)),
                                      _mm256_cvtepi32_ps(_mm256_andnot_si256(mask, more)));
    const Floats low = _mm256_cvtepi32_ps(add(_mm256_and_si256(mask, sum), _mm256_and_si256(mask, more)));
    const Floats nearest = _mm256_add_ps(high, low);
    error = truncate(_mm256_sub_ps(low, _mm256_sub_ps(nearest, high)));
    return nearest;
  }

  /// To the nearest f16: adding 2^(e + 13) leaves ten fraction bits, of a subnormal those down to 2^-24.
  static TWOFOUR_INLINE Floats to_half(Floats x, Floats old) {
    const Floats infinity = as_floats(integers(0x7f800000)), size = magnitude(x);
    const Integers exponent = _mm256_max_epi32(as_integers(_mm256_and_ps(x, infinity)), integers(113u << 23));
    const Floats big = as_floats(add(exponent, integers(13u << 23)));
    const Floats rounded = _mm256_sub_ps(_mm256_add_ps(size, big), big);
    const Floats over = _mm256_cmp_ps(rounded, floats(65536), _CMP_GE_OQ);
    const Floats sign = _mm256_andnot_ps(as_floats(integers(0x7fffffff)), x);
    const Floats result = _mm256_or_ps(_mm256_blendv_ps(rounded, infinity, over), sign);
    return _mm256_blendv_ps(result, old, _mm256_cmp_ps(magnitude(old), infinity, _CMP_EQ_OQ));
  }
};

}  // namespace

const WindowKernels window_kernels_avx2 = window_kernels<Avx2>();

}  // namespace twofour::emu
