#pragma once
// f16 and bf16 of a lane. Private to emu/ptx.
#include "twofour/emu/ptx/alu_number.h"

namespace twofour::emu::ptx {

template <class H>
TWOFOUR_ALWAYS_INLINE bool is_nan(H x) {
  return (x.word & 0x7fff) > ((2 * H::bias + 1) << H::fraction);
}
template <bool ftz, class H>
TWOFOUR_ALWAYS_INLINE H flushed(H x) {
  const bool small = (x.word & 0x7fff) >> H::fraction == 0;
  return ftz && small ? H{u16(x.word & 0x8000)} : x;
}

/// f<T>() for T = F16, Bf16, Two<F16>, Two<Bf16>.
template <class F>
inline AluFunction for_halves(Type type, F f) {
  switch (type) {
    case Type::f16: return f.template operator()<F16>();
    case Type::bf16: return f.template operator()<Bf16>();
    case Type::f16x2: return f.template operator()<Two<F16>>();
    case Type::bf16x2: return f.template operator()<Two<Bf16>>();
    default: return nullptr;
  }
}

inline bool is_half(Type type) {
  return type == Type::f16 || type == Type::f16x2 || type == Type::bf16 || type == Type::bf16x2;
}
inline bool is_f16(Type type) {
  return type == Type::f16 || type == Type::f16x2;
}

}  // namespace twofour::emu::ptx
