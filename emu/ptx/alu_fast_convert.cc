// Conversions that kernels are full of, vectorised. Each equals convert().
#include "twofour/emu/ptx/alu_convert.h"

namespace twofour::emu::ptx {
namespace {

/// The low part of a register, extended: From and To are registers, Part is the part's type.
template <class From, class To, class Part>
AluFunction extension() {
  using Result = std::conditional_t<std::is_signed_v<Part>, std::make_signed_t<To>, To>;
  return lanes([](From a) TWOFOUR_LANE { return To(Result(Part(a))); });
}
template <class From, class To>
AluFunction extension(int part_bits, bool with_sign) {
  switch (part_bits) {
    case 8: return with_sign ? extension<From, To, s8>() : extension<From, To, u8>();
    case 16: return with_sign ? extension<From, To, s16>() : extension<From, To, u16>();
    case 32: return with_sign ? extension<From, To, s32>() : extension<From, To, u32>();
    default: return extension<From, To, u64>();
  }
}
template <class From>
AluFunction extension(int to_bytes, int part_bits, bool with_sign) {
  switch (to_bytes) {
    case 2: return extension<From, u16>(part_bits, with_sign);
    case 4: return extension<From, u32>(part_bits, with_sign);
    case 8: return extension<From, u64>(part_bits, with_sign);
    default: return nullptr;
  }
}
AluFunction integers(const Conversion& c) {
  const int from_bits = bits(c.from), to_bits = bits(c.to), register_bits = 8 * c.to_bytes;
  const bool narrows = to_bits <= from_bits;
  // Sign-extended to its type, then zero-extended to a wider register: not one extension.
  if (!narrows && is_signed(c.from) && !is_signed(c.to) && to_bits < register_bits) return nullptr;
  const int part = narrows ? to_bits : from_bits;
  const bool with_sign = is_signed(narrows ? c.to : c.from);
  switch (c.from_bytes) {
    case 2: return extension<u16>(c.to_bytes, part, with_sign);
    case 4: return extension<u32>(c.to_bytes, part, with_sign);
    case 8: return extension<u64>(c.to_bytes, part, with_sign);
    default: return nullptr;
  }
}

template <class To>
AluFunction from_integer(Type from) {
  if (from == Type::s32) return lanes([](s32 a) TWOFOUR_LANE { return To(a); });
  return from == Type::u32 ? lanes([](u32 a) TWOFOUR_LANE { return To(a); }) : nullptr;
}

/// f32 to 32 bits, not a NaN's zero yet rounded: clamped so that rounding stays inside.
template <class To>
TWOFOUR_ALWAYS_INLINE double bounded(float a) {
  const double least = std::is_signed_v<To> ? -2147483648.0 : 0.0;
  const double most = std::is_signed_v<To> ? 2147483647.0 : 4294967295.0;
  const double x = a;
  const double number = x != x ? 0.0 : x;
  const double low = number < least ? least : number;
  return low > most ? most : low;
}
template <class To>
AluFunction to_integer(Round mode) {
  using Wide = std::conditional_t<std::is_signed_v<To>, s32, s64>;
  switch (mode) {
    case Round::toward_zero: return lanes([](float a) TWOFOUR_LANE { return To(Wide(bounded<To>(a))); });
    case Round::nearest_even:
      return lanes([](float a) TWOFOUR_LANE { return To(Wide(__builtin_rint(bounded<To>(a)))); });
    case Round::downward:
      return lanes([](float a) TWOFOUR_LANE { return To(Wide(__builtin_floor(bounded<To>(a)))); });
    default: return lanes([](float a) TWOFOUR_LANE { return To(Wide(__builtin_ceil(bounded<To>(a)))); });
  }
}

AluFunction between_floats(const Conversion& c) {
  if (c.from == Type::f16 && c.to == Type::f32)
    return lanes([](F16 a) TWOFOUR_LANE { return f32_result<false, false>(widen(a)); });
  if (c.from == Type::bf16 && c.to == Type::f32)
    return lanes([](Bf16 a) TWOFOUR_LANE { return f32_result<false, false>(widen(a)); });
  if (c.from == Type::f32 && c.to == Type::f64) return lanes([](float a) TWOFOUR_LANE { return double(a); });
  if (c.mode != Round::nearest_even) return nullptr;
  if (c.from == Type::f32 && c.to == Type::f16)
    return lanes([](float a) TWOFOUR_LANE { return to_half<F16>(double(a)); });
  if (c.from == Type::f32 && c.to == Type::bf16)
    return lanes([](float a) TWOFOUR_LANE { return to_half<Bf16>(double(a)); });
  if (c.from == Type::f64 && c.to == Type::f32)
    return lanes([](double a) TWOFOUR_LANE { return f32_result<false, false>(float(a)); });
  return nullptr;
}

}  // namespace

AluFunction fast_conversion(const Conversion& c) {
  if (c.ftz || c.sat || c.relu || c.integral) return nullptr;
  if (is_float(c.from) && is_float(c.to)) return between_floats(c);
  if (!is_float(c.from) && !is_float(c.to)) return integers(c);
  if (is_float(c.to)) {
    if (c.from_bytes != 4 || c.mode != Round::nearest_even) return nullptr;
    if (c.to == Type::f32) return from_integer<float>(c.from);
    return c.to == Type::f64 ? from_integer<double>(c.from) : nullptr;
  }
  if (c.from != Type::f32 || c.to_bytes != 4) return nullptr;
  if (c.to == Type::s32) return to_integer<s32>(c.mode);
  return c.to == Type::u32 ? to_integer<u32>(c.mode) : nullptr;
}

}  // namespace twofour::emu::ptx
