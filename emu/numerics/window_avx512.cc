// The window kernels for AVX-512 (F, BW, DQ): 16 lanes. This file alone is compiled with these instructions.
#include <immintrin.h>

#include "twofour/emu/numerics/window_kernel.h"

namespace twofour::emu {
namespace {

constexpr int rz = _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC;

struct Avx512 {
  using Floats = __m512;
  using Integers = __m512i;
  static constexpr int lanes = 16;

  static TWOFOUR_INLINE Floats load(const float* p) { return _mm512_loadu_ps(p); }
  static TWOFOUR_INLINE void store(float* p, Floats x) { _mm512_storeu_ps(p, x); }
  static TWOFOUR_INLINE Integers load_bytes(const std::byte* p) { return _mm512_loadu_si512(p); }
  static TWOFOUR_INLINE Floats floats(float x) { return _mm512_set1_ps(x); }
  static TWOFOUR_INLINE Integers integers(std::uint32_t x) { return _mm512_set1_epi32(int(x)); }
  static TWOFOUR_INLINE Floats as_floats(Integers x) { return _mm512_castsi512_ps(x); }
  static TWOFOUR_INLINE Integers as_integers(Floats x) { return _mm512_castps_si512(x); }
  static TWOFOUR_INLINE Floats mul(Floats x, Floats y) { return _mm512_mul_ps(x, y); }
  static TWOFOUR_INLINE Integers add(Integers x, Integers y) { return _mm512_add_epi32(x, y); }
  static TWOFOUR_INLINE Integers sub(Integers x, Integers y) { return _mm512_sub_epi32(x, y); }
  static TWOFOUR_INLINE Integers truncate(Floats x) { return _mm512_cvttps_epi32(x); }
  static TWOFOUR_INLINE Integers max_bytes(Integers x, Integers y) { return _mm512_max_epu8(x, y); }
  static TWOFOUR_INLINE Integers subtract_bytes(Integers x, Integers y) { return _mm512_subs_epu8(x, y); }

  /// Of four words at p the one that the low two bits of each lane name.
  static TWOFOUR_INLINE Integers select(const void* p, Integers which) {
    const __m512i table = _mm512_broadcast_i32x4(_mm_loadu_si128(static_cast<const __m128i*>(p)));
    return as_integers(_mm512_permutevar_ps(as_floats(table), which));
  }
  /// Byte v of each lane in the place of an f32 exponent; the other bits are anything.
  template <int v>
  static TWOFOUR_INLINE Integers field(Integers bytes) {
    if constexpr (v == 3)
      return _mm512_srli_epi32(bytes, 1);
    else
      return _mm512_slli_epi32(bytes, 23 - 8 * v);
  }
  /// The exponent field of the larger magnitude of both; f16: that of a non-zero accumulator is at least
  /// -14's.
  template <bool half>
  static TWOFOUR_INLINE Integers emax_field(Integers field, Floats acc) {
    constexpr int largest_magnitude_unsigned = 0b1011;
    const Floats larger = _mm512_range_ps(as_floats(field), acc, largest_magnitude_unsigned);
    const Integers emax = _mm512_and_si512(as_integers(larger), integers(0x7f800000));
    if constexpr (!half) return emax;
    const __mmask16 nonzero = _mm512_cmp_ps_mask(acc, _mm512_setzero_ps(), _CMP_NEQ_UQ);
    return _mm512_mask_max_epu32(emax, nonzero, emax, integers(113u << 23));
  }

  static TWOFOUR_INLINE Floats toward_zero(Integers sum) { return _mm512_cvt_roundepi32_ps(sum, rz); }
  /// Rounding to odd: toward zero, with the last bit set where that was not exact.
  static TWOFOUR_INLINE Floats to_odd(Integers sum) {
    const Floats cut = toward_zero(sum);
    return set_last(cut, _mm512_cmpneq_epi32_mask(truncate(cut), sum));
  }
  /// sum + more as an exact multiple of 256 and a rest in [0, 510].
  static TWOFOUR_INLINE void split(Integers sum, Integers more, Floats& high, Floats& low) {
    const Integers mask = integers(255);
    high = _mm512_add_ps(_mm512_cvtepi32_ps(_mm512_andnot_si512(mask, sum)),
                         _mm512_cvtepi32_ps(_mm512_andnot_si512(mask, more)));
    low = _mm512_cvtepi32_ps(add(_mm512_and_si512(mask, sum), _mm512_and_si512(mask, more)));
  }
  static TWOFOUR_INLINE Floats toward_zero(Integers sum, Integers more) {
    Floats high, low;
    split(sum, more, high, low);
    return _mm512_add_round_ps(high, low, rz);
  }
  static TWOFOUR_INLINE Floats to_odd(Integers sum, Integers more) {
    Floats high, low;
    split(sum, more, high, low);
    const Floats cut = _mm512_add_round_ps(high, low, rz);
    return set_last(cut, _mm512_cmp_ps_mask(_mm512_sub_ps(cut, high), low, _CMP_NEQ_UQ));
  }
  static TWOFOUR_INLINE Floats set_last(Floats x, __mmask16 where) {
    return as_floats(_mm512_mask_or_epi32(as_integers(x), where, as_integers(x), integers(1)));
  }

  /// x to the nearest f16, ties to even; an infinite accumulator stays.
  static TWOFOUR_INLINE Floats to_half(Floats x, Floats old) {
    const __m256i half = _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT);
    constexpr int infinities = 0x08 | 0x10;
    return _mm512_mask_cvtph_ps(old, __mmask16(~_mm512_fpclass_ps_mask(old, infinities)), half);
  }
};

}  // namespace

const WindowKernels window_kernels_avx512 = window_kernels<Avx512>();

}  // namespace twofour::emu
