// Integer tiles in vectors that every processor has, or that the compiler makes up.
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define TWOFOUR_TILE_TARGET
#include "twofour/emu/matrix/gemm_integer_tile.h"

namespace twofour::emu {
namespace {

struct Pairs {
  using Vector = std::uint32_t __attribute__((vector_size(16)));
  using Broadcast = Vector;
  static constexpr int rows = 1, columns = 4, a_words = 1, b_words = 4, lanes = 4;

  TWOFOUR_TILE_INLINE static Vector zero() { return Vector{}; }
  TWOFOUR_TILE_INLINE static Vector load(const std::uint32_t* p) {
    Vector v;
    std::memcpy(&v, p, sizeof v);
    return v;
  }
  TWOFOUR_TILE_INLINE static void store(Vector v, std::uint32_t* p, int) { std::memcpy(p, &v, sizeof v); }
  TWOFOUR_TILE_INLINE static Vector broadcast(const std::uint32_t* p) { return Vector{} + *p; }
  TWOFOUR_TILE_INLINE static Vector add_products(Vector sum, Vector a, Vector b) {
#if defined(__SSE2__)
    return sum + Vector(_mm_madd_epi16(__m128i(a), __m128i(b)));
#else
    using Signed = std::int32_t __attribute__((vector_size(16)));
    const Vector low = Vector(Signed(a << 16) >> 16) * Vector(Signed(b << 16) >> 16);
    return sum + low + Vector(Signed(a) >> 16) * Vector(Signed(b) >> 16);
#endif
  }
  TWOFOUR_TILE_INLINE static void finish(const std::uint32_t* sums, std::uint32_t offset,
                                         const std::uint32_t* base, std::uint32_t* d, int count) {
    for (int j = 0; j < lanes && j < count; ++j) d[j] = sums[j] + offset + (base != nullptr ? base[j] : 0);
  }
};

}  // namespace

constinit const IntegerKernel portable_pairs = tile_kernel<Pairs, 4, 2>(IntegerForm::pairs);

}  // namespace twofour::emu
