// Decoding of cvt, and the conversions of pairs of numbers.
#include "twofour/emu/ptx/alu_convert.h"
#include "twofour/emu/ptx/alu_decode.h"
#include "twofour/emu/ptx/alu_integer.h"

namespace twofour::emu::ptx {
namespace {

bool is_integer(Type type) {
  return (name(type)[0] == 'u' || is_signed(type)) && bits(type) <= 64;
}

/// The register of an operand: as declared if it is wider than the type and may be.
Type register_type(Decoder& d, int operand, Type type) {
  const auto declared = d.declared(operand);
  if (!declared || is_float(type)) return type;
  if (*declared == Type::pred || bits(*declared) < bits(type) || bits(*declared) > 64)
    d.refuse("a register is not as wide as ." + std::string(name(type)));
  return *declared;
}

/// A float-to-float conversion that loses precision or range.
bool loses(Type from, Type to) {
  return bits(to) < bits(from) || (bits(to) == 16 && from != to);
}

void take_modes(Decoder& d, Conversion& c) {
  const int integral = d.take_one({"rni", "rzi", "rmi", "rpi"});
  const bool from_float = is_float(c.from), to_float = is_float(c.to);
  if (integral >= 0) {
    if (!from_float || (to_float && bits(c.from) != bits(c.to))) d.refuse("rounding to an integer is not allowed here");
    c.mode = Round(integral);
    c.integral = to_float;
    return;
  }
  if (from_float && !to_float) d.refuse("rounding to an integer, .rni, .rzi, .rmi or .rpi, is needed");
  if (!to_float || (from_float && !loses(c.from, c.to))) return;
  if (!d.has_rounding()) d.refuse("a rounding mode is needed");
  c.mode = d.take_rounding();
}

Alu convert_numbers(Decoder& d) {
  Conversion c{};
  c.to = d.type(0);
  c.from = d.type(1);
  for (const Type type : {c.to, c.from})
    if (!is_integer(type) && !is_float(type)) d.refuse("." + std::string(name(type)) + " cannot be converted");
  take_modes(d, c);
  const bool has_f32 = c.from == Type::f32 || c.to == Type::f32;
  c.ftz = has_f32 && d.take("ftz");
  c.relu = is_float(c.from) && bits(c.to) == 16 && is_float(c.to) && d.take("relu");
  c.sat = (is_float(c.from) || !is_float(c.to)) && d.take("sat");
  if (is_float(c.from) && !is_float(c.to)) c.sat = false;  // they clamp anyway
  if (!is_float(c.from)) c.ftz = false;                    // no integer gives a subnormal
  const Type to = register_type(d, 0, c.to), from = register_type(d, 1, c.from);
  c.from_bytes = std::uint8_t(bits(from) / 8);
  c.to_bytes = std::uint8_t(bits(to) / 8);
  const AluFunction fast = fast_conversion(c);
  return d.alu(fast != nullptr ? fast : conversion_function(c), {to}, {from});
}

template <class Format, Round mode, bool relu>
TWOFOUR_ALWAYS_INLINE u32 half_word(float a) {
  const u32 word = u32(narrow<Format, mode>(double(a)));
  return relu && (word & 0x8000) != 0 ? 0 : word;
}
/// cvt.rn.f16x2.f32 d, a, b: a is the high half.
template <class Format>
AluFunction pair_of(Round mode, bool relu) {
  return with_flag(relu, [mode]<bool positive>() {
    if (mode == Round::toward_zero)
      return rare([](float a, float b) TWOFOUR_LANE {
        return half_word<Format, Round::toward_zero, positive>(a) << 16 |
               half_word<Format, Round::toward_zero, positive>(b);
      });
    return lanes([](float a, float b) TWOFOUR_LANE {
      return half_word<Format, Round::nearest_even, positive>(a) << 16 |
             half_word<Format, Round::nearest_even, positive>(b);
    });
  });
}
Alu convert_pair(Decoder& d) {
  const Type to = d.type(0), from = d.type(1);
  if (from != Type::f32) d.refuse("the sources are .f32");
  const int mode = d.take_one({"rn", "rz"});
  if (mode < 0) d.refuse(".rn or .rz is needed");
  const bool relu = d.take("relu");
  return d.alu(to == Type::f16x2 ? pair_of<F16>(Round(mode), relu) : pair_of<Bf16>(Round(mode), relu), {to},
               {from, from});
}

template <Round mode, bool relu>
AluFunction to_tf32() {
  return lanes([](float a) TWOFOUR_LANE {
    const u32 word = u32(narrow<Tf32, mode>(double(a))) << 13;
    const u32 number = relu && (word & 0x80000000) != 0 ? 0 : word;
    return a != a ? f32_nan : number;
  });
}
/// The low 13 bits are zeros.
Alu convert_tf32(Decoder& d) {
  if (d.type(0) != Type::tf32 || d.type(1) != Type::f32) d.refuse("the source is .f32");
  const int mode = d.take_one({"rna", "rn", "rz"});
  const bool relu = mode > 0 && d.take("relu");
  AluFunction run = nullptr;
  if (mode == 0) run = to_tf32<Round::nearest_away, false>();
  if (mode == 1) run = relu ? to_tf32<Round::nearest_even, true>() : to_tf32<Round::nearest_even, false>();
  if (mode == 2) run = relu ? to_tf32<Round::toward_zero, true>() : to_tf32<Round::toward_zero, false>();
  return d.alu(run, {Type::b32}, {Type::f32});
}

/// An integer of `bits` bits, clamped.
template <int bits, bool with_sign>
TWOFOUR_ALWAYS_INLINE u32 packed(s32 x) {
  constexpr s32 most = (1 << (with_sign ? bits - 1 : bits)) - 1, least = with_sign ? -most - 1 : 0;
  const s32 clamp = x > most ? most : x < least ? least : x;
  return u32(clamp) & u32((u64(1) << bits) - 1);
}
template <int bits, bool with_sign>
TWOFOUR_ALWAYS_INLINE u32 packed_pair(s32 a, s32 b) {
  return packed<bits, with_sign>(a) << bits | packed<bits, with_sign>(b);
}
template <int bits>
AluFunction pack(bool with_sign) {
  return with_flag(with_sign, []<bool is_signed_type>() {
    if constexpr (bits == 16)
      return rare([](s32 a, s32 b) TWOFOUR_LANE { return packed_pair<bits, is_signed_type>(a, b); });
    else
      return rare([](s32 a, s32 b, u32 c)
                      TWOFOUR_LANE { return c << (2 * bits) | packed_pair<bits, is_signed_type>(a, b); });
  });
}
/// cvt.pack.sat: two integers of s32 beside each other, the first one higher; with less than 16 bits under
/// the low bits of c.
Alu convert_pack(Decoder& d) {
  if (!d.take("sat")) d.refuse(".sat is needed");
  const int small = d.take_one({"u4", "s4", "u2", "s2"});
  const int first = small < 0 ? 1 : 0;
  const Type to = small < 0 ? d.type(0) : Type::b32;
  if (d.type(first) != Type::s32) d.refuse("the sources are .s32");
  if (small < 0 && bits(to) == 16 && is_integer(to))
    return d.alu(pack<16>(is_signed(to)), {Type::b32}, {Type::s32, Type::s32});
  if (d.type(first + 1) != Type::b32) d.refuse("the third source is .b32");
  AluFunction run = nullptr;
  if (small < 0 && bits(to) == 8 && is_integer(to)) run = pack<8>(is_signed(to));
  if (small == 0 || small == 1) run = pack<4>(small == 1);
  if (small == 2 || small == 3) run = pack<2>(small == 3);
  return d.alu(run, {Type::b32}, {Type::s32, Type::s32, Type::b32});
}

}  // namespace

Alu decode_cvt(Decoder& d) {
  if (d.take("pack")) return convert_pack(d);
  const Type to = d.type(0);
  if (to == Type::f16x2 || to == Type::bf16x2) return convert_pair(d);
  return to == Type::tf32 ? convert_tf32(d) : convert_numbers(d);
}

}  // namespace twofour::emu::ptx
