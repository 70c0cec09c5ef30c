// One mma.m8n8k4 of f64 to nearest: chains of fused multiply-adds, the eight columns of D side by side.
#include <bit>
#include <cmath>

#include "twofour/emu/numerics/simd_dispatch.h"
#include "twofour/emu/warp/fast_mma.h"

namespace twofour::emu {
namespace {

constexpr int rows = 8, columns = 8, depth = 4;

/// Element r of every lane.
template <class Words>
void gather(const Words& words, std::size_t r, double* out) {
  for (int l = 0; l < warp_lanes; ++l)
    out[l] = std::bit_cast<double>(words[2 * r][l] | std::uint64_t(words[2 * r + 1][l]) << 32);
}

struct Tile {
  double a[rows * depth];     ///< [row][k], as the lanes are
  double b[columns * depth];  ///< [column][k], as the lanes are
  double d[rows * columns];   ///< first C
  bool nan;
};

TWOFOUR_ALWAYS_INLINE void chains_body(Tile& t) {
  double b[depth][columns];
  for (int k = 0; k < depth; ++k)
    for (int n = 0; n < columns; ++n) b[k][n] = t.b[n * depth + k];
  double rest = 0;  // zero while all results are numbers
  for (int row = 0; row < rows; ++row) {
    double* const d = t.d + row * columns;
    for (int k = 0; k < depth; ++k)
      for (int n = 0; n < columns; ++n) d[n] = __builtin_fma(t.a[row * depth + k], b[k][n], d[n]);
  }
  for (int n = 0; n < rows * columns; ++n) rest = std::isnan(t.d[n]) ? 1 : rest;
  t.nan = rest != 0;
}
TWOFOUR_SIMD_VARIANTS(chains, (Tile & t), chains_body(t))

}  // namespace

bool fast_double_mma(const PreparedMma&, const std::byte*, const std::byte*, const MmaRegisters& r) {
  Tile t;
  double c[2][warp_lanes];
  gather(r.a, 0, t.a);
  gather(r.b, 0, t.b);
  for (std::size_t j = 0; j < 2; ++j) gather(r.c, j, c[j]);
  for (int l = 0; l < warp_lanes; ++l)
    for (int j = 0; j < 2; ++j) t.d[2 * l + j] = c[j][l];
  chains(t);
  if (t.nan) return false;  // their words are the definition's affair
  for (std::size_t word = 0; word < 4; ++word)
    if (r.d[word] != nullptr)
      for (int l = 0; l < warp_lanes; ++l)
        r.d[word][l] =
            std::uint32_t(std::bit_cast<std::uint64_t>(t.d[std::size_t(2 * l) + word / 2]) >> word % 2 * 32);
  return true;
}

}  // namespace twofour::emu
