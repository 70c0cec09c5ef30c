#include "twofour/emu/ptx/alu_integer.h"

#include "twofour/emu/ptx/alu_decode.h"

namespace twofour::emu::ptx {
namespace {

Type twice(Type type) {
  switch (type) {
    case Type::u16: return Type::u32;
    case Type::u32: return Type::u64;
    case Type::s16: return Type::s32;
    case Type::s32: return Type::s64;
    default: return type;
  }
}

AluFunction wide_product(Type type) {
  if (bits(type) == 64) return nullptr;
  return for_integers(type, []<class T>() -> AluFunction {
    if constexpr (sizeof(T) < 8)
      return lanes([](T a, T b) TWOFOUR_LANE { return product(a, b); });
    else
      return nullptr;
  });
}
AluFunction wide_product_sum(Type type) {
  return for_integers(type, []<class T>() -> AluFunction {
    if constexpr (sizeof(T) < 8)
      return lanes([](T a, T b, Twice<T> c) TWOFOUR_LANE { return wrapping_add(product(a, b), c); });
    else
      return nullptr;
  });
}

Alu multiply(Decoder& d) {
  const Type type = d.type();
  switch (d.take_one({"lo", "hi", "wide"})) {
    case 0:
      return d.alu(for_integers(type, []<class T>() {
                     return lanes([](T a, T b) TWOFOUR_LANE { return product_low(a, b); });
                   }), {type}, {type, type});
    case 1:
      return d.alu(for_integers(type, []<class T>() {
                     return lanes([](T a, T b) TWOFOUR_LANE { return product_high(a, b); });
                   }), {type}, {type, type});
    case 2: return d.alu(wide_product(type), {twice(type)}, {type, type});
    default: d.refuse(".lo, .hi or .wide is needed");
  }
}

Alu multiply_add(Decoder& d) {
  const Type type = d.type();
  const int part = d.take_one({"lo", "hi", "wide"});
  if (part == 1 && d.take("sat")) {
    if (type != Type::s32) d.refuse(".sat is for .s32");
    return d.alu(rare([](s32 a, s32 b, s32 c) TWOFOUR_LANE { return clamped<s32>(s64(product_high(a, b)) + c); }),
                 {type}, {type, type, type});
  }
  switch (part) {
    case 0:
      return d.alu(for_integers(type, []<class T>() {
                     return lanes(
                         [](T a, T b, T c) TWOFOUR_LANE { return wrapping_add(product_low(a, b), c); });
                   }), {type}, {type, type, type});
    case 1:
      return d.alu(for_integers(type, []<class T>() {
                     return lanes(
                         [](T a, T b, T c) TWOFOUR_LANE { return wrapping_add(product_high(a, b), c); });
                   }), {type}, {type, type, type});
    case 2: return d.alu(wide_product_sum(type), {twice(type)}, {type, type, twice(type)});
    default: d.refuse(".lo, .hi or .wide is needed");
  }
}

template <bool subtract>
Alu add(Decoder& d) {
  const Type type = d.type();
  if (d.take("sat")) {
    if (type != Type::s32) d.refuse(".sat is for .s32");
    const auto run = rare(
        [](s32 a, s32 b) TWOFOUR_LANE { return clamped<s32>(subtract ? s64(a) - s64(b) : s64(a) + s64(b)); });
    return d.alu(run, {type}, {type, type});
  }
  return d.alu(for_integers(type, []<class T>() {
                 using U = Unsigned<T>;
                 return lanes(
                     [](U a, U b) TWOFOUR_LANE { return subtract ? wrapping_sub(a, b) : wrapping_add(a, b); });
               }), {type}, {type, type});
}

/// Division by zero and its remainder, which PTX leaves open, are all ones; lowest / -1 wraps.
template <class T>
TWOFOUR_ALWAYS_INLINE T quotient(T a, T b) {
  if (b == 0) return T(~T(0));
  if (std::is_signed_v<T> && b == T(-1)) return wrapping_sub(T(0), a);
  return T(a / b);
}
template <class T>
TWOFOUR_ALWAYS_INLINE T remainder(T a, T b) {
  if (b == 0) return T(~T(0));
  if (std::is_signed_v<T> && b == T(-1)) return 0;
  return T(a % b);
}

AluFunction negate_or_abs(Type type, bool absolute) {
  if (name(type)[0] != 's') return nullptr;
  return for_integers(type, [absolute]<class T>() {
    return absolute ? lanes([](T a) TWOFOUR_LANE { return a < 0 ? wrapping_sub(T(0), a) : a; })
                    : lanes([](T a) TWOFOUR_LANE { return wrapping_sub(T(0), a); });
  });
}

template <bool greatest>
Alu extreme(Decoder& d) {
  const Type type = d.type();
  if (d.take("relu")) {
    if (type != Type::s32) d.refuse(".relu is for .s32");
    return d.alu(rare([](s32 a, s32 b) TWOFOUR_LANE {
                   const s32 x = (a < b) == greatest ? b : a;
                   return x < 0 ? 0 : x;
                 }), {type}, {type, type});
  }
  return d.alu(for_integers(type, []<class T>() {
                 return lanes([](T a, T b) TWOFOUR_LANE { return (a < b) == greatest ? b : a; });
               }), {type}, {type, type});
}

}  // namespace

Alu decode_integer(Decoder& d, Arithmetic operation) {
  const Type type = d.type();
  switch (operation) {
    case Arithmetic::add: return add<false>(d);
    case Arithmetic::sub: return add<true>(d);
    case Arithmetic::mul: return multiply(d);
    case Arithmetic::fma: return multiply_add(d);
    case Arithmetic::div:
      return d.alu(for_integers(type, []<class T>() {
                     return rare([](T a, T b) TWOFOUR_LANE { return quotient(a, b); });
                   }), {type}, {type, type});
    case Arithmetic::abs:
    case Arithmetic::neg: return d.alu(negate_or_abs(type, operation == Arithmetic::abs), {type}, {type});
    case Arithmetic::min: return extreme<false>(d);
    case Arithmetic::max: return extreme<true>(d);
  }
  d.refuse("no such operation");
}

Alu decode_rem(Decoder& d) {
  const Type type = d.type();
  return d.alu(for_integers(type, []<class T>() {
                 return rare([](T a, T b) TWOFOUR_LANE { return remainder(a, b); });
               }), {type}, {type, type});
}

Alu decode_sad(Decoder& d) {
  const Type type = d.type();
  return d.alu(for_integers(type, []<class T>() {
                 return rare([](T a, T b, T c) TWOFOUR_LANE {
                   return wrapping_add(c, a < b ? wrapping_sub(b, a) : wrapping_sub(a, b));
                 });
               }), {type}, {type, type, type});
}

}  // namespace twofour::emu::ptx
