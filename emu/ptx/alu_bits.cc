// Counting, finding and moving fields of bits.
#include "twofour/emu/ptx/alu_decode.h"
#include "twofour/emu/ptx/alu_integer.h"

namespace twofour::emu::ptx {
namespace {

template <class F>
AluFunction for_b32_b64(Type type, F f) {
  if (type == Type::b32) return f.template operator()<u32>();
  return type == Type::b64 ? f.template operator()<u64>() : nullptr;
}

template <class T>
TWOFOUR_ALWAYS_INLINE u32 leading_zeros(T a) {
  if (a == 0) return u32(bits_in<T>);
  return u32(sizeof(T) == 8 ? __builtin_clzll(u64(a)) : __builtin_clz(u32(a)));
}

template <class T>
TWOFOUR_ALWAYS_INLINE T reversed(T a) {
  a = T((a >> 1 & T(0x5555555555555555)) | (a & T(0x5555555555555555)) << 1);
  a = T((a >> 2 & T(0x3333333333333333)) | (a & T(0x3333333333333333)) << 2);
  a = T((a >> 4 & T(0x0f0f0f0f0f0f0f0f)) | (a & T(0x0f0f0f0f0f0f0f0f)) << 4);
  return sizeof(T) == 8 ? T(__builtin_bswap64(u64(a))) : T(__builtin_bswap32(u32(a)));
}

/// Position of the highest bit that is not a sign bit, or its distance to the top; all ones if there is none.
template <bool distance, class T>
TWOFOUR_ALWAYS_INLINE u32 find_bit(T a) {
  const auto word = Unsigned<T>(std::is_signed_v<T> && a < 0 ? ~a : a);
  if (word == 0) return ~0u;
  const u32 zeros = leading_zeros(word);
  return distance ? zeros : u32(bits_in<T> - 1) - zeros;
}

/// The |offset|-th set bit from `base` on, upwards or downwards; offset 0: `base` itself.
TWOFOUR_ALWAYS_INLINE u32 find_nth(u32 mask, u32 base, s32 offset) {
  if (base > 31) return ~0u;
  if (offset == 0) return (mask >> base & 1) != 0 ? base : ~0u;
  u32 left = offset < 0 ? 0u - u32(offset) : u32(offset);
  for (int at = int(base); at >= 0 && at < 32; at += offset < 0 ? -1 : 1)
    if ((mask >> at & 1) != 0 && --left == 0) return u32(at);
  return ~0u;
}

/// Ones in the low `count` bits.
template <class T>
TWOFOUR_ALWAYS_INLINE T low_ones(u32 count) {
  return count >= u32(bits_in<T>) ? T(~T(0)) : T((T(1) << count) - 1);
}

/// Positions and lengths are the low 8 bits of their operands.
template <class T>
TWOFOUR_ALWAYS_INLINE T extract(T a, u32 position, u32 length) {
  constexpr u32 width = u32(bits_in<T>);
  const u32 from = position & 0xff, count = length & 0xff;
  if constexpr (std::is_signed_v<T>) {
    const T shifted = T(a >> (from < width ? from : width - 1));
    const u32 rest = count == 0 || count >= width ? 0 : width - count;
    const T extended = T(T(Unsigned<T>(shifted) << rest) >> rest);
    return count == 0 ? T(0) : extended;
  } else {
    return T((from < width ? a >> from : T(0)) & low_ones<T>(count));
  }
}
template <class T>
TWOFOUR_ALWAYS_INLINE T insert(T a, T b, u32 position, u32 length) {
  const u32 to = position & 0xff;
  const T mask = to < u32(bits_in<T>) ? T(low_ones<T>(length & 0xff) << to) : T(0);
  const T field = to < u32(bits_in<T>) ? T(a << to) : T(0);
  return T((b & ~mask) | (field & mask));
}

template <bool clamp>
TWOFOUR_ALWAYS_INLINE u32 mask_of(u32 position, u32 width) {
  if (clamp && position >= 32) return 0;
  const u32 from = position & 31, count = clamp ? (width < 32 ? width : 32) : width & 31;
  return low_ones<u32>(count) << from;
}

template <bool clamp, bool is_signed>
TWOFOUR_ALWAYS_INLINE u32 extended(u32 a, u32 width) {
  if (clamp && width >= 32) return a;
  const u32 count = width & 31;
  const u32 low = a & low_ones<u32>(count);
  if (!is_signed || count == 0) return low;
  return u32(s32(low << (32 - count)) >> (32 - count));
}

bool take_clamp(Decoder& d) {
  const int mode = d.take_one({"wrap", "clamp"});
  if (mode < 0) d.refuse(".clamp or .wrap is needed");
  return mode == 1;
}

}  // namespace

Alu decode_popc(Decoder& d) {
  const Type type = d.type();
  return d.alu(for_b32_b64(type, []<class T>() {
                 return lanes([](T a) TWOFOUR_LANE { return u32(__builtin_popcountll(a)); });
               }), {Type::u32}, {type});
}

Alu decode_clz(Decoder& d) {
  const Type type = d.type();
  return d.alu(for_b32_b64(type, []<class T>() {
                 return lanes([](T a) TWOFOUR_LANE { return leading_zeros(a); });
               }), {Type::u32}, {type});
}

Alu decode_brev(Decoder& d) {
  const Type type = d.type();
  return d.alu(for_b32_b64(type, []<class T>() {
                 return lanes([](T a) TWOFOUR_LANE { return reversed(a); });
               }), {type}, {type});
}

Alu decode_bfind(Decoder& d) {
  const Type type = d.type();
  if (bits(type) == 16) d.refuse("the type is 32 or 64 bits wide");
  const bool distance = d.take("shiftamt");
  return d.alu(for_integers(type, [distance]<class T>() {
                 return distance ? rare([](T a) TWOFOUR_LANE { return find_bit<true>(a); })
                                 : rare([](T a) TWOFOUR_LANE { return find_bit<false>(a); });
               }), {Type::u32}, {type});
}

Alu decode_fns(Decoder& d) {
  if (d.type() != Type::b32) d.refuse("the type is .b32");
  return d.alu(rare([](u32 mask, u32 base, s32 offset) TWOFOUR_LANE { return find_nth(mask, base, offset); }),
               {Type::b32}, {Type::b32, Type::b32, Type::s32});
}

Alu decode_bfe(Decoder& d) {
  const Type type = d.type();
  if (bits(type) == 16) d.refuse("the type is 32 or 64 bits wide");
  return d.alu(for_integers(type, []<class T>() {
                 return lanes([](T a, u32 b, u32 c) TWOFOUR_LANE { return extract(a, b, c); });
               }), {type}, {type, Type::u32, Type::u32});
}

Alu decode_bfi(Decoder& d) {
  const Type type = d.type();
  return d.alu(for_b32_b64(type, []<class T>() {
                 return lanes([](T a, T b, u32 c, u32 e) TWOFOUR_LANE { return insert(a, b, c, e); });
               }), {type}, {type, type, Type::u32, Type::u32});
}

Alu decode_bmsk(Decoder& d) {
  if (d.type() != Type::b32) d.refuse("the type is .b32");
  const auto run = take_clamp(d) ? rare([](u32 a, u32 b) TWOFOUR_LANE { return mask_of<true>(a, b); })
                                 : rare([](u32 a, u32 b) TWOFOUR_LANE { return mask_of<false>(a, b); });
  return d.alu(run, {Type::b32}, {Type::u32, Type::u32});
}

Alu decode_szext(Decoder& d) {
  const Type type = d.type();
  if (type != Type::u32 && type != Type::s32) d.refuse("the type is .u32 or .s32");
  const auto run = with_flag(take_clamp(d), [type]<bool clamp>() {
    return type == Type::s32 ? rare([](u32 a, u32 b) TWOFOUR_LANE { return extended<clamp, true>(a, b); })
                             : rare([](u32 a, u32 b) TWOFOUR_LANE { return extended<clamp, false>(a, b); });
  });
  return d.alu(run, {type}, {type, Type::u32});
}

}  // namespace twofour::emu::ptx
