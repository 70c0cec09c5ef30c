#pragma once
// Integers of a lane. Everything wraps; arithmetic is on unsigned words. Private to emu/ptx.
#include "twofour/emu/ptx/alu_lanes.h"

namespace twofour::emu::ptx {

__extension__ typedef __int128 s128;
__extension__ typedef unsigned __int128 u128;

template <class T>
using Unsigned = std::make_unsigned_t<T>;

template <class T>
struct TwiceOf;
template <>
struct TwiceOf<u16> {
  using type = u32;
};
template <>
struct TwiceOf<u32> {
  using type = u64;
};
template <>
struct TwiceOf<u64> {
  using type = u128;
};
template <>
struct TwiceOf<s16> {
  using type = s32;
};
template <>
struct TwiceOf<s32> {
  using type = s64;
};
template <>
struct TwiceOf<s64> {
  using type = s128;
};
/// The type of a product.
template <class T>
using Twice = typename TwiceOf<T>::type;

template <class T>
inline constexpr int bits_in = int(sizeof(T) * 8);
template <class T>
inline constexpr T highest = std::is_signed_v<T> ? T((Unsigned<T>(1) << (bits_in<T> - 1)) - 1) : T(~Unsigned<T>(0));
template <class T>
inline constexpr T lowest = std::is_signed_v<T> ? T(Unsigned<T>(1) << (bits_in<T> - 1)) : T(0);

template <class T>
TWOFOUR_ALWAYS_INLINE T wrapping_add(T a, T b) {
  return T(Unsigned<T>(Unsigned<T>(a) + Unsigned<T>(b)));
}
template <class T>
TWOFOUR_ALWAYS_INLINE T wrapping_sub(T a, T b) {
  return T(Unsigned<T>(Unsigned<T>(a) - Unsigned<T>(b)));
}
/// The low half of the product.
template <class T>
TWOFOUR_ALWAYS_INLINE T product_low(T a, T b) {
  using Wide = std::conditional_t<sizeof(T) == 2, u32, Unsigned<T>>;  // u16 would multiply as int
  return T(Wide(Unsigned<T>(a)) * Wide(Unsigned<T>(b)));
}
template <class T>
TWOFOUR_ALWAYS_INLINE Twice<T> product(T a, T b) {
  return Twice<T>(a) * Twice<T>(b);
}
template <class T>
TWOFOUR_ALWAYS_INLINE T product_high(T a, T b) {
  return T(product(a, b) >> bits_in<T>);
}
template <class T, class Wide>
TWOFOUR_ALWAYS_INLINE T clamped(Wide x) {
  return x > Wide(highest<T>) ? highest<T> : x < Wide(lowest<T>) ? lowest<T> : T(x);
}

}  // namespace twofour::emu::ptx
