// The window kernels in the compilers' own vectors of 4 lanes, for any processor.
#include <cstring>

#include "twofour/emu/numerics/window_rounding.h"

namespace twofour::emu {
namespace {

using Float4 = float __attribute__((vector_size(16)));
using Int4 = std::int32_t __attribute__((vector_size(16)));
using Words = std::uint32_t __attribute__((vector_size(16)));
using Byte16 = std::uint8_t __attribute__((vector_size(16)));

struct Portable : CorrectedRounding<Portable> {
  using Floats = Float4;
  using Integers = Int4;
  static constexpr int lanes = 4;

  template <class Vector>
  static TWOFOUR_INLINE Vector load_as(const void* p) {
    Vector x;
    std::memcpy(&x, p, sizeof x);
    return x;
  }
  static TWOFOUR_INLINE Floats load(const float* p) { return load_as<Floats>(p); }
  static TWOFOUR_INLINE void store(float* p, Floats x) { std::memcpy(p, &x, sizeof x); }
  static TWOFOUR_INLINE Integers load_bytes(const std::byte* p) { return load_as<Integers>(p); }
  static TWOFOUR_INLINE Floats floats(float x) { return Floats{x, x, x, x}; }
  static TWOFOUR_INLINE Integers integers(std::uint32_t x) { return Integers{} + std::int32_t(x); }
  static TWOFOUR_INLINE Floats as_floats(Integers x) { return Floats(x); }
  static TWOFOUR_INLINE Integers as_integers(Floats x) { return Integers(x); }
  static TWOFOUR_INLINE Floats mul(Floats x, Floats y) { return x * y; }
  // Wrapping: exponent fields use the whole word.
  static TWOFOUR_INLINE Integers add(Integers x, Integers y) { return Integers(Words(x) + Words(y)); }
  static TWOFOUR_INLINE Integers sub(Integers x, Integers y) { return Integers(Words(x) - Words(y)); }
  static TWOFOUR_INLINE Integers truncate(Floats x) { return __builtin_convertvector(x, Integers); }
  static TWOFOUR_INLINE Floats convert(Integers x) { return __builtin_convertvector(x, Floats); }
  static TWOFOUR_INLINE Integers select(Integers where, Integers x, Integers y) {
    return (where & x) | (~where & y);
  }
  static TWOFOUR_INLINE Integers max(Integers x, Integers y) { return select(x > y, x, y); }
  static TWOFOUR_INLINE Integers subtract_bytes(Integers x, Integers y) {
    const Byte16 a = Byte16(x), b = Byte16(y);
    return Integers(Byte16(a > b) & (a - b));
  }
  static TWOFOUR_INLINE Integers max_bytes(Integers x, Integers y) {
    return Integers(Byte16(x) + Byte16(subtract_bytes(y, x)));
  }
  static TWOFOUR_INLINE Integers magnitude(Floats x) { return as_integers(x) & 0x7fffffff; }

  /// Of four words at p the one that the low two bits of each lane name.
  static TWOFOUR_INLINE Integers select(const void* p, Integers which) {
    const Integers table = load_as<Integers>(p);
    return Integers{table[which[0] & 3], table[which[1] & 3], table[which[2] & 3], table[which[3] & 3]};
  }
  template <int v>
  static TWOFOUR_INLINE Integers field(Integers bytes) {
    return (bytes >> 8 * v & 255) << 23;
  }
  template <bool half>
  static TWOFOUR_INLINE Integers emax_field(Integers field, Floats acc) {
    const Integers emax = max(field, as_integers(acc) & 0x7f800000);
    if constexpr (!half) return emax;
    return max(emax, Integers(magnitude(acc) != 0) & (113 << 23));
  }

  /// One unit in the last place less where `error`, which is what nearest rounding left out, points to zero.
  static TWOFOUR_INLINE Floats cut(Floats nearest, Integers error) {
    const Integers away = (error != 0) & ((error ^ as_integers(nearest)) < 0);
    return as_floats(as_integers(nearest) + away);
  }
  static TWOFOUR_INLINE Floats set_last(Floats x, Integers error) {
    return as_floats(as_integers(x) | ((error != 0) & 1));
  }
  /// sum + more to the nearest float, from an exact multiple of 256 and a rest in [0, 510], and the error.
  static TWOFOUR_INLINE Floats nearest_sum(Integers sum, Integers more, Integers& error) {
    const Floats high = convert(sum & ~255) + convert(more & ~255);
    const Floats low = convert((sum & 255) + (more & 255));
    const Floats nearest = high + low;
    error = truncate(low - (nearest - high));
    return nearest;
  }

  /// To the nearest f16: adding 2^(e + 13) leaves ten fraction bits, of a subnormal those down to 2^-24.
  static TWOFOUR_INLINE Floats to_half(Floats x, Floats old) {
    constexpr std::int32_t infinity = 0x7f800000;
    const Integers exponent = max(as_integers(x) & infinity, integers(113u << 23));
    const Floats big = as_floats(exponent + (13 << 23));
    const Floats rounded = (as_floats(magnitude(x)) + big) - big;
    const Integers size = select(rounded >= 65536.0f, integers(infinity), as_integers(rounded));
    const Integers result = size | (as_integers(x) & ~0x7fffffff);
    return as_floats(select(magnitude(old) == infinity, as_integers(old), result));
  }
};

}  // namespace

const WindowKernels window_kernels_portable = window_kernels<Portable>();

}  // namespace twofour::emu
