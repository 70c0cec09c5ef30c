#pragma once
// The body of the window kernels over a set of vector operations `S`. Private: each window_<level>.cc,
// compiled for its processor, instantiates it.
#include <cstdint>
#include <utility>

#include "twofour/emu/numerics/window.h"

namespace twofour::emu {

/// The kernels of one SIMD level: [products 4, 8, 16][f16 accumulator][four vectors].
struct WindowKernels {
  int lanes;
  WindowKernel kernel[3][2][2];
};
extern const WindowKernels window_kernels_portable;
#if defined(__x86_64__)
extern const WindowKernels window_kernels_avx2, window_kernels_avx512;
#endif

// Internal linkage: code compiled for one processor must never serve another.
namespace {

#define TWOFOUR_INLINE inline __attribute__((always_inline))

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

template <class S, int products, bool half, int vectors>
void window(const WindowRule& rule, const WindowCall& call) {
  using Floats = typename S::Floats;
  using Integers = typename S::Integers;
  constexpr bool wide = products > 8;
  // The least emax: E0, or for f32, where E0 is far below, the least whose unit is a normal number.
  const int floor = half ? rule.zero_exponent + 127 : rule.fraction_bits + 1;
  const Integers least = S::integers(std::uint32_t(floor) * 0x01010101u);
  const Integers f_field = S::integers(std::uint32_t(rule.fraction_bits) << 23);
  const Integers scale_field = S::integers(std::uint32_t(rule.fraction_bits + 254) << 23);
  Floats acc[vectors];
  unrolled<vectors>([&](auto v) { acc[v] = S::load(call.accumulator + v * S::lanes); });
  constexpr std::int64_t row_bytes = window_row_bytes(S::lanes, vectors);
  const std::byte* side = call.vector_side;
  const float* a = call.value;
  const std::uint32_t* drop = call.drop;
  const std::int32_t* rows = call.rows;
  for (std::int64_t block = 0; block < call.blocks; ++block) {
    Integers bytes = least;
    unrolled<products>([&](auto i) {
      const Integers b = S::load_bytes(side + rows[i] * row_bytes + 4 * S::lanes * vectors);
      bytes = S::max_bytes(bytes, S::subtract_bytes(b, S::integers(drop[i])));
    });
    // One vector after the other: the accumulator of one is ready again when its turn comes.
    unrolled<vectors>([&](auto v) {
      const Integers emax = S::template emax_field<half>(S::template field<v>(bytes), acc[v]);
      const Floats scale = S::as_floats(S::sub(scale_field, emax));
      Integers sum = S::truncate(S::mul(acc[v], scale)), more = S::integers(0);
      unrolled<products>([&](auto i) {
        const auto* b = reinterpret_cast<const float*>(side + rows[i] * row_bytes) + v * S::lanes;
        Integers& to = i < 8 ? sum : more;
        to = S::add(to, S::truncate(S::mul(S::mul(S::floats(a[i]), S::load(b)), scale)));
      });
      acc[v] = finish<S, half, wide>(sum, more, S::as_floats(S::sub(emax, f_field)), acc[v]);
    });
    a += products;
    drop += products;
    rows += products;
  }
  unrolled<vectors>([&](auto v) { S::store(call.accumulator + v * S::lanes, acc[v]); });
}

template <class S>
constexpr WindowKernels window_kernels() {
  return {S::lanes,
          {{{window<S, 4, false, 1>, window<S, 4, false, 4>}, {window<S, 4, true, 1>, window<S, 4, true, 4>}},
           {{window<S, 8, false, 1>, window<S, 8, false, 4>}, {window<S, 8, true, 1>, window<S, 8, true, 4>}},
           {{window<S, 16, false, 1>, window<S, 16, false, 4>},
            {window<S, 16, true, 1>, window<S, 16, true, 4>}}}};
}

}  // namespace
}  // namespace twofour::emu
