// mma.m8n8k4 of f64 to nearest on registers of 64 bits a lane, on AVX-512: chains of fused multiply-adds, as
// D lies in registers. Lane 4g + t has row g and columns 2t and 2t + 1 of D, column t of row g of A, row t of
// column g of B.
#include "twofour/emu/numerics/simd_dispatch.h"
#include "twofour/emu/warp/fast_mma.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <new>

namespace twofour::emu {
namespace {

using Vector = __m512d;                                        // eight lanes ("strip"), which are two rows
constexpr int depth = 4, parities = 2, strip = 8, strips = 4;  // parities: columns 2t and 2t + 1 of lane t

/// What a lane of D meets in each step of k; B is the same for every strip.
struct Rows {
  Vector a[depth][strips];
};
struct Columns {
  alignas(64) double b[parities][depth][strip];
};

TWOFOUR_TARGET_AVX512 inline Vector load(const std::uint32_t* reg, int s) {
  return _mm512_loadu_pd(reinterpret_cast<const double*>(reg) + strip * s);
}

TWOFOUR_TARGET_AVX512 void take_a(const PreparedMma&, const MmaRegisters& r, std::byte* out) {
  auto& rows = *new (out) Rows;
  for (int s = 0; s < strips; ++s) {
    const Vector x = load(r.a[0], s);
    rows.a[0][s] = _mm512_maskz_permutex_pd(0xff, x, 0x00);
    rows.a[1][s] = _mm512_maskz_permutex_pd(0xff, x, 0x55);
    rows.a[2][s] = _mm512_maskz_permutex_pd(0xff, x, 0xaa);
    rows.a[3][s] = _mm512_maskz_permutex_pd(0xff, x, 0xff);
  }
}

void take_b(const PreparedMma&, const MmaRegisters& r, std::byte* out) {
  auto& columns = *new (out) Columns;
  const auto* const b = reinterpret_cast<const double*>(r.b[0]);
  for (int e = 0; e < parities; ++e)
    for (int k = 0; k < depth; ++k)
      for (int l = 0; l < strip; ++l) columns.b[e][k][l] = b[4 * (2 * (l % 4) + e) + k];
}

/// False if a result is not a number: their words are the definition's affair.
TWOFOUR_TARGET_AVX512 bool multiply(const PreparedMma&, const std::byte* a, const std::byte* b,
                                    const MmaRegisters& r) {
  const auto& rows = *reinterpret_cast<const Rows*>(a);
  const auto& columns = *reinterpret_cast<const Columns*>(b);
  Vector sums[parities][strips];
  unsigned nan = 0;
  for (int e = 0; e < parities; ++e)
    for (int s = 0; s < strips; ++s) {
      Vector sum = load(r.c[std::size_t(e)], s);
      for (int k = 0; k < depth; ++k)
        sum = _mm512_fmadd_pd(rows.a[k][s], _mm512_load_pd(columns.b[e][k]), sum);
      nan |= _mm512_cmp_pd_mask(sum, sum, _CMP_UNORD_Q);
      sums[e][s] = sum;
    }
  if (nan != 0) return false;
  for (int e = 0; e < parities; ++e)
    if (auto* const d = reinterpret_cast<double*>(r.d[std::size_t(e)]))
      for (int s = 0; s < strips; ++s) _mm512_storeu_pd(d + strip * s, sums[e][s]);
  return true;
}

}  // namespace

FastMma wide_double_mma() {
  static_assert(sizeof(Rows) <= FastMma::max_a_bytes && sizeof(Columns) <= FastMma::max_b_bytes);
  if (simd_level() != SimdLevel::avx512) return {};
  return {take_a, take_b, multiply, sizeof(Rows), sizeof(Columns)};
}

}  // namespace twofour::emu
#else

namespace twofour::emu {

FastMma wide_double_mma() {
  return {};
}

}  // namespace twofour::emu
#endif
