// Integer tiles in vectors that every processor has, or that the compiler makes up.
#include <cstring>

#define TWOFOUR_TILE_TARGET
#include "twofour/emu/matrix/gemm_integer_tile.h"

namespace twofour::emu {
namespace {

struct Pairs {
  static constexpr int lanes = 4;
  using Vector = std::uint32_t __attribute__((vector_size(4 * lanes)));
  using Signed = std::int32_t __attribute__((vector_size(4 * lanes)));

  TWOFOUR_TILE_INLINE static Vector zero() { return Vector{}; }
  TWOFOUR_TILE_INLINE static Vector load(const std::uint32_t* p) {
    Vector v;
    std::memcpy(&v, p, sizeof v);
    return v;
  }
  TWOFOUR_TILE_INLINE static void store(std::uint32_t* p, Vector v) { std::memcpy(p, &v, sizeof v); }
  TWOFOUR_TILE_INLINE static Vector broadcast(const std::uint32_t* p) { return Vector{} + *p; }
  TWOFOUR_TILE_INLINE static Vector low(Vector v) { return Vector(Signed(v << 16) >> 16); }
  TWOFOUR_TILE_INLINE static Vector high(Vector v) { return Vector(Signed(v) >> 16); }
  TWOFOUR_TILE_INLINE static Vector add_products(Vector sum, Vector a, Vector b) {
    return sum + low(a) * low(b) + high(a) * high(b);
  }
};

}  // namespace

const IntegerKernel portable_pairs{IntegerForm::pairs, false, 4, 8, true, run_tile<Pairs, 4, 2>};

}  // namespace twofour::emu
