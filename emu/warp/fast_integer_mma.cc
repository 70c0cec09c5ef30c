// One integer or single-bit mma. Products of 8- and 4-bit integers and their sums over at most 64 stored
// columns are integers below 2^24, so that f32 arithmetic is exact.
#include <algorithm>
#include <bit>
#include <limits>

#include "twofour/emu/numerics/simd_dispatch.h"
#include "twofour/emu/warp/fast_mma.h"
#include "twofour/emu/warp/fast_tile.h"
#include "twofour/emu/warp/selected_columns.h"

namespace twofour::emu {
namespace {

constexpr int max_stored = 64, max_k = 128;  // of the integer instructions
static_assert(max_stored * 255 * 255 < 1 << 24);

using Float8 = float __attribute__((vector_size(32)));

struct Arguments {
  const isa::Instruction& i;
  const RowWords& a;
  const ColumnWords& b;
  const std::int32_t* columns;  // rows of B that each stored element of A meets
  std::int32_t* sum;            // rows of eight
};

/// Element e of a word as a float.
TWOFOUR_ALWAYS_INLINE float element(std::uint32_t word, int e, int width, bool is_signed) {
  const std::uint32_t top = word << (32 - width * (e + 1));
  return is_signed ? float(std::int32_t(top) >> (32 - width)) : float(std::int32_t(top >> (32 - width)));
}

template <int width>
TWOFOUR_ALWAYS_INLINE void multiply_body(const Arguments& g) {
  constexpr int per_word = 32 / width;
  alignas(32) float a[max_rows * max_stored];
  alignas(32) float b[max_k * columns_n];
  const int rows = g.i.shape.m, stored_k = g.i.stored_k(), words = rows * stored_k / per_word;
  const bool a_signed = isa::is_signed(g.i.a), b_signed = isa::is_signed(g.i.b);
  for (int w = 0; w < words; ++w)
    for (int e = 0; e < per_word; ++e) a[w * per_word + e] = element(g.a[std::size_t(w)], e, width, a_signed);
  for (int w = 0; w < g.i.shape.k / per_word; ++w)
    for (int e = 0; e < per_word; ++e)
      for (int c = 0; c < columns_n; ++c)
        b[(w * per_word + e) * columns_n + c] =
            element(g.b[std::size_t(w * columns_n + c)], e, width, b_signed);
  for (int row = 0; row < rows; ++row) {
    Float8 even = {}, odd = {};
    for (int kc = 0; kc < stored_k; kc += 2) {
      const float* x = a + row * stored_k + kc;
      const std::int32_t* column = g.columns + row * stored_k + kc;
      Float8 y, z;
      std::memcpy(&y, b + column[0] * columns_n, sizeof y);
      std::memcpy(&z, b + column[1] * columns_n, sizeof z);
      even += x[0] * y;
      odd += x[1] * z;
    }
    even += odd;
    for (int c = 0; c < columns_n; ++c) g.sum[row * columns_n + c] = std::int32_t(even[c]);
  }
}
TWOFOUR_SIMD_VARIANTS(multiply_bytes, (const Arguments& g), multiply_body<8>(g))
TWOFOUR_SIMD_VARIANTS(multiply_nibbles, (const Arguments& g), multiply_body<4>(g))

TWOFOUR_ALWAYS_INLINE void count_body(const Arguments& g) {
  const int words = row_words(g.i);
  const std::uint32_t intersect = g.i.op == isa::BitOp::and_popc ? ~0u : 0u;
  for (int row = 0; row < g.i.shape.m; ++row)
    for (int c = 0; c < columns_n; ++c) {
      int ones = 0;
      for (int w = 0; w < words; ++w) {
        const std::uint32_t a = g.a[std::size_t(row * words + w)], b = g.b[std::size_t(w * columns_n + c)];
        ones += std::popcount((intersect & a & b) | (~intersect & (a ^ b)));
      }
      g.sum[row * columns_n + c] = ones;
    }
}
TWOFOUR_SIMD_VARIANTS(count_bits, (const Arguments& g), count_body(g))

std::uint32_t add(std::int32_t sum, std::uint32_t c, bool satfinite) {
  using Limits = std::numeric_limits<std::int32_t>;
  const std::int64_t exact = std::int64_t(sum) + std::int32_t(c);
  if (!satfinite) return std::uint32_t(exact);
  return std::uint32_t(std::clamp<std::int64_t>(exact, Limits::min(), Limits::max()));
}

}  // namespace

bool fast_integer_mma(const PreparedMma& p, const std::byte*, const std::byte*, const MmaRegisters& r) {
  const isa::Instruction& i = *p.instruction;
  RowWords a;
  ColumnWords b;
  SelectedColumns columns;
  std::int32_t sum[max_rows * columns_n];
  std::uint32_t accumulator[max_rows * columns_n];
  gather_rows(i, r.a, a);
  gather_columns(i, r.b, b);
  gather_accumulators(r.c, i.shape.m, accumulator);
  const Arguments arguments{i, a, b, columns.data(), sum};
  if (i.a == isa::ElementType::b1) {
    count_bits(arguments);
  } else {
    select_columns(i, r.metadata, p.selector, columns);
    isa::bits(i.a) == 8 ? multiply_bytes(arguments) : multiply_nibbles(arguments);
  }
  for (int n = 0; n < i.shape.m * columns_n; ++n)
    accumulator[n] = add(sum[n], accumulator[n], p.options.satfinite);
  scatter_accumulators(accumulator, i.shape.m, r.d);
  return true;
}

}  // namespace twofour::emu
