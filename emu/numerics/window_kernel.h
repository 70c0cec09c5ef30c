#pragma once
// The body of the window kernels over a set of vector operations `S`. Private: each window_<level>.cc,
// compiled for its processor, instantiates it.
#include <cstdint>
#include <utility>

#include "twofour/emu/numerics/window.h"

namespace twofour::emu {

/// The kernels of one SIMD level: [products 4, 8, 16][f16 accumulator], then [four vectors] or [selected].
struct WindowKernels {
  int lanes;
  WindowKernel kernel[3][2][2];
  WindowTileKernel tile[3][2][2];
};
extern const WindowKernels window_kernels_portable;
#if defined(__x86_64__)
extern const WindowKernels window_kernels_avx2, window_kernels_avx512;
#endif

// Internal linkage: code compiled for one processor must never serve another.
namespace {

#define TWOFOUR_INLINE inline __attribute__((always_inline))
#define TWOFOUR_LAMBDA __attribute__((always_inline))

/// f(integral_constant<int, 0>) ... f(integral_constant<int, count - 1>).
template <int count, class Function>
TWOFOUR_INLINE void unrolled(const Function& f) {
  [&]<int... i>(std::integer_sequence<int, i...>) __attribute__((always_inline)) {
    (f(std::integral_constant<int, i>{}), ...);
  }
  (std::make_integer_sequence<int, count>{});
}

/// The accumulator after a block: sum (plus `more`, where 16 products need 33 bits) units of 2^(emax - F).
template <class S, bool half, bool wide>
TWOFOUR_INLINE typename S::Floats finish(typename S::Integers sum, typename S::Integers more,
                                         typename S::Floats unit, typename S::Floats old) {
  if constexpr (half)
    return S::to_half(S::mul(wide ? S::to_odd(sum, more) : S::to_odd(sum), unit), old);
  else
    return S::mul(wide ? S::toward_zero(sum, more) : S::toward_zero(sum), unit);
}

/// What a rule is to the kernels.
template <class S, bool half>
struct Constants {
  typename S::Integers least, f_field, scale_field;
  // The least emax: E0, or for f32, where E0 is far below, the least whose unit is a normal number.
  explicit TWOFOUR_INLINE Constants(const WindowRule& rule)
      : least(S::integers(std::uint32_t(half ? rule.zero_exponent + 127 : rule.fraction_bits + 1) *
                          0x01010101u)),
        f_field(S::integers(std::uint32_t(rule.fraction_bits) << 23)),
        scale_field(S::integers(std::uint32_t(rule.fraction_bits + 254) << 23)) {}
};

/// The accumulator after a block: `byte` holds the greatest exponent of its products, product(i) is one.
template <class S, int products, bool half, class Product>
TWOFOUR_INLINE typename S::Floats add_block(const Constants<S, half>& constants, typename S::Integers byte,
                                            typename S::Floats acc, const Product& product) {
  using Integers = typename S::Integers;
  const Integers emax = S::template emax_field<half>(byte, acc);
  const typename S::Floats scale = S::as_floats(S::sub(constants.scale_field, emax));
  Integers sum = S::truncate(S::mul(acc, scale)), more = S::integers(0);
  unrolled<products>([&](auto i) TWOFOUR_LAMBDA {
    Integers& to = i < 8 ? sum : more;
    to = S::add(to, S::truncate(S::mul(product(i), scale)));
  });
  return finish<S, half, (products > 8)>(sum, more, S::as_floats(S::sub(emax, constants.f_field)), acc);
}

template <class S, int products, bool half, int vectors>
void window(const WindowRule& rule, const WindowCall& call) {
  using Floats = typename S::Floats;
  using Integers = typename S::Integers;
  const Constants<S, half> constants(rule);
  Floats acc[vectors];
  unrolled<vectors>([&](auto v) TWOFOUR_LAMBDA { acc[v] = S::load(call.accumulator + v * S::lanes); });
  constexpr std::int64_t row_bytes = window_row_bytes(S::lanes, vectors);
  const std::byte* side = call.vector_side;
  const float* a = call.value;
  const std::uint32_t* drop = call.drop;
  const std::int32_t* rows = call.rows;
  for (std::int64_t block = 0; block < call.blocks; ++block) {
    Integers bytes = constants.least;
    unrolled<products>([&](auto i) TWOFOUR_LAMBDA {
      const Integers b = S::load_bytes(side + rows[i] * row_bytes + 4 * S::lanes * vectors);
      bytes = S::max_bytes(bytes, S::subtract_bytes(b, S::integers(drop[i])));
    });
    // One vector after the other: the accumulator of one is ready again when its turn comes.
    unrolled<vectors>([&](auto v) TWOFOUR_LAMBDA {
      acc[v] = add_block<S, products>(constants, S::template field<v>(bytes), acc[v], [&](auto i) TWOFOUR_LAMBDA {
        const auto* b = reinterpret_cast<const float*>(side + rows[i] * row_bytes) + v * S::lanes;
        return S::mul(S::floats(a[i]), S::load(b));
      });
    });
    a += products;
    drop += products;
    rows += products;
  }
  unrolled<vectors>([&](auto v) TWOFOUR_LAMBDA { S::store(call.accumulator + v * S::lanes, acc[v]); });
}

/// S::lanes rows from `row` on, four columns from `column` on.
template <class S, int products, bool half, bool selected>
TWOFOUR_INLINE void window_part(const Constants<S, half>& constants, const WindowTile& t, int row,
                                int column) {
  using Integers = typename S::Integers;
  constexpr int rows = WindowTile::rows, vectors = 4;
  typename S::Floats acc[vectors];
  float* const out = t.accumulator + column * rows + row;
  unrolled<vectors>([&](auto v) TWOFOUR_LAMBDA { acc[v] = S::load(out + v * rows); });
  const float* const b = t.b_value + column * t.k;
  const std::uint32_t* const drops = t.b_drop + column / 4 * t.k;
  for (std::int64_t first = 0; first < t.blocks * products; first += products) {
    const auto select = [&](auto i) TWOFOUR_LAMBDA {
      return S::load_bytes(reinterpret_cast<const std::byte*>(t.select + (first + i) * rows + row));
    };
    Integers bytes = constants.least;
    unrolled<products>([&](auto i) TWOFOUR_LAMBDA {
      const std::int64_t k = first + i;
      const Integers a = S::load_bytes(reinterpret_cast<const std::byte*>(t.a_byte + k * rows + row));
      if constexpr (selected)
        bytes = S::max_bytes(bytes, S::subtract_bytes(a, S::select(drops + k / 2 * 4, select(i))));
      else
        bytes = S::max_bytes(bytes, S::subtract_bytes(a, S::integers(drops[k])));
    });
    unrolled<vectors>([&](auto v) TWOFOUR_LAMBDA {
      acc[v] = add_block<S, products>(constants, S::template field<v>(bytes), acc[v], [&](auto i) TWOFOUR_LAMBDA {
        const std::int64_t k = first + i;
        const typename S::Floats a = S::load(t.a_value + k * rows + row);
        if constexpr (selected)
          return S::mul(a, S::as_floats(S::select(b + v * t.k + k / 2 * 4, select(i))));
        else
          return S::mul(a, S::floats(b[v * t.k + k]));
      });
    });
  }
  unrolled<vectors>([&](auto v) TWOFOUR_LAMBDA { S::store(out + v * rows, acc[v]); });
}

template <class S, int products, bool half, bool selected>
void window_tile(const WindowRule& rule, const WindowTile& tile) {
  const Constants<S, half> constants(rule);
  for (int row = 0; row < WindowTile::rows; row += S::lanes)
    for (int column = 0; column < WindowTile::columns; column += 4)
      window_part<S, products, half, selected>(constants, tile, row, column);
}

template <class S>
constexpr WindowKernels window_kernels() {
  return {S::lanes,
          {{{window<S, 4, false, 1>, window<S, 4, false, 4>}, {window<S, 4, true, 1>, window<S, 4, true, 4>}},
           {{window<S, 8, false, 1>, window<S, 8, false, 4>}, {window<S, 8, true, 1>, window<S, 8, true, 4>}},
           {{window<S, 16, false, 1>, window<S, 16, false, 4>},
            {window<S, 16, true, 1>, window<S, 16, true, 4>}}},
          {{{window_tile<S, 4, false, false>, window_tile<S, 4, false, true>},
            {window_tile<S, 4, true, false>, window_tile<S, 4, true, true>}},
           {{window_tile<S, 8, false, false>, window_tile<S, 8, false, true>},
            {window_tile<S, 8, true, false>, window_tile<S, 8, true, true>}},
           {{window_tile<S, 16, false, false>, window_tile<S, 16, false, true>},
            {window_tile<S, 16, true, false>, window_tile<S, 16, true, true>}}}};
}

}  // namespace
}  // namespace twofour::emu
