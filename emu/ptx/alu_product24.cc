// Products of 24-bit integers, dot products of bytes, distances of bytes and halves.
#include "twofour/emu/ptx/alu_decode.h"
#include "twofour/emu/ptx/alu_integer.h"

namespace twofour::emu::ptx {
namespace {

/// The 48-bit product of the low 24 bits of both.
TWOFOUR_ALWAYS_INLINE s64 product24(s32 a, s32 b) {
  return s64(s32(u32(a) << 8) >> 8) * s64(s32(u32(b) << 8) >> 8);
}
TWOFOUR_ALWAYS_INLINE s64 product24(u32 a, u32 b) {
  return s64(u64(a & 0xffffff) * u64(b & 0xffffff));
}
/// Its bits 47..16 or 31..0.
template <bool high, class T>
TWOFOUR_ALWAYS_INLINE T part24(T a, T b) {
  return T(u64(product24(a, b)) >> (high ? 16 : 0));
}

template <class F>
AluFunction for_32_bits(Type type, F f) {
  if (type == Type::u32) return f.template operator()<u32>();
  return type == Type::s32 ? f.template operator()<s32>() : nullptr;
}

bool take_high(Decoder& d) {
  const int part = d.take_one({"lo", "hi"});
  if (part < 0) d.refuse(".lo or .hi is needed");
  return part == 1;
}

/// Element `i` of `bits` bits.
template <class T, int bits>
TWOFOUR_ALWAYS_INLINE s32 element(u32 word, int i) {
  const u32 x = word >> (bits * i);
  if constexpr (bits == 8) return std::is_signed_v<T> ? s32(s8(x)) : s32(u8(x));
  return std::is_signed_v<T> ? s32(s16(x)) : s32(u16(x));
}

template <class A, class B>
TWOFOUR_ALWAYS_INLINE u32 dot4(u32 a, u32 b, u32 c) {
  for (int i = 0; i < 4; ++i) c += u32(element<A, 8>(a, i)) * u32(element<B, 8>(b, i));
  return c;
}
/// `first`: the byte of b that meets the low half of a.
template <class A, class B, int first>
TWOFOUR_ALWAYS_INLINE u32 dot2(u32 a, u32 b, u32 c) {
  for (int i = 0; i < 2; ++i) c += u32(element<A, 16>(a, i)) * u32(element<B, 8>(b, first + i));
  return c;
}

/// f<A, B>() for the types of the two vectors.
template <class F>
AluFunction for_vectors(Type a, Type b, F f) {
  if (a == Type::u32 && b == Type::u32) return f.template operator()<u32, u32>();
  if (a == Type::u32 && b == Type::s32) return f.template operator()<u32, s32>();
  if (a == Type::s32 && b == Type::u32) return f.template operator()<s32, u32>();
  return a == Type::s32 && b == Type::s32 ? f.template operator()<s32, s32>() : nullptr;
}

/// The sum of c and the distances of the elements, or the distances themselves.
template <class A, class B, int bits, bool adds>
TWOFOUR_ALWAYS_INLINE u32 distances(u32 a, u32 b, u32 c) {
  u32 out = adds ? c : 0;
  for (int i = 0; i < 32 / bits; ++i) {
    const s32 difference = element<A, bits>(a, i) - element<B, bits>(b, i);
    const u32 distance = u32(difference < 0 ? -difference : difference);
    out += adds ? distance : (distance & ((1u << bits) - 1)) << (bits * i);
  }
  return out;
}

template <int bits>
Alu decode_distances(Decoder& d) {
  if (const Type result = d.type(0); result != Type::u32 && result != Type::s32)
    d.refuse("the result is .u32 or .s32");
  const Type a = d.type(1), b = d.type(2);
  const bool adds = d.take("add");
  const auto run = for_vectors(a, b, [adds]<class A, class B>() {
    return adds
               ? rare([](u32 x, u32 y, u32 z) TWOFOUR_LANE { return distances<A, B, bits, true>(x, y, z); })
               : rare([](u32 x, u32 y, u32 z) TWOFOUR_LANE { return distances<A, B, bits, false>(x, y, z); });
  });
  return d.alu(run, {Type::b32}, {Type::b32, Type::b32, Type::b32});
}

}  // namespace

Alu decode_vabsdiff2(Decoder& d) {
  return decode_distances<16>(d);
}
Alu decode_vabsdiff4(Decoder& d) {
  return decode_distances<8>(d);
}

Alu decode_mul24(Decoder& d) {
  const Type type = d.type();
  const auto run = for_32_bits(type, [high = take_high(d)]<class T>() {
    return high ? rare([](T a, T b) TWOFOUR_LANE { return part24<true>(a, b); })
                : rare([](T a, T b) TWOFOUR_LANE { return part24<false>(a, b); });
  });
  return d.alu(run, {type}, {type, type});
}

Alu decode_mad24(Decoder& d) {
  const Type type = d.type();
  const bool high = take_high(d);
  if (high && d.take("sat")) {
    if (type != Type::s32) d.refuse(".sat is for .s32");
    const auto run =
        rare([](s32 a, s32 b, s32 c) TWOFOUR_LANE { return clamped<s32>(s64(part24<true>(a, b)) + c); });
    return d.alu(run, {type}, {type, type, type});
  }
  const auto run = for_32_bits(type, [high]<class T>() {
    return high ? rare([](T a, T b, T c) TWOFOUR_LANE { return wrapping_add(part24<true>(a, b), c); })
                : rare([](T a, T b, T c) TWOFOUR_LANE { return wrapping_add(part24<false>(a, b), c); });
  });
  return d.alu(run, {type}, {type, type, type});
}

Alu decode_dp4a(Decoder& d) {
  const Type a = d.type(0), b = d.type(1);
  const auto run = for_vectors(a, b, []<class A, class B>() {
    return lanes([](u32 x, u32 y, u32 z) TWOFOUR_LANE { return dot4<A, B>(x, y, z); });
  });
  return d.alu(run, {Type::b32}, {Type::b32, Type::b32, Type::b32});
}

Alu decode_dp2a(Decoder& d) {
  const Type a = d.type(0), b = d.type(1);
  const auto run = for_vectors(a, b, [high = take_high(d)]<class A, class B>() {
    return high ? rare([](u32 x, u32 y, u32 z) TWOFOUR_LANE { return dot2<A, B, 2>(x, y, z); })
                : rare([](u32 x, u32 y, u32 z) TWOFOUR_LANE { return dot2<A, B, 0>(x, y, z); });
  });
  return d.alu(run, {Type::b32}, {Type::b32, Type::b32, Type::b32});
}

}  // namespace twofour::emu::ptx
