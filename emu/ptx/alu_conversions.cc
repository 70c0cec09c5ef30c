// A function for every Conversion: tables of trampolines, a table a kind of conversion, indexed by the digits
// of a key.
#include <algorithm>
#include <array>

#include "twofour/emu/ptx/alu_convert.h"

namespace twofour::emu::ptx {
namespace {

constexpr std::array integers = {Type::u8, Type::u16, Type::u32, Type::u64,
                                 Type::s8, Type::s16, Type::s32, Type::s64};
constexpr std::array floats = {Type::f16, Type::bf16, Type::f32, Type::f64};

/// Digits of a key, the last one first.
struct Key {
  std::size_t rest;
  constexpr std::size_t digit(std::size_t base) {
    const std::size_t d = rest % base;
    rest /= base;
    return d;
  }
  constexpr bool flag() { return digit(2) != 0; }
  constexpr std::uint8_t bytes() { return std::uint8_t(1u << digit(4)); }
  constexpr Round mode() { return Round(digit(4)); }
};
constexpr std::uint8_t bytes_of(Type type) {
  return type == Type::f64 ? 8 : type == Type::f32 ? 4 : 2;
}

struct IntegerToInteger {
  static constexpr std::size_t size = 8 * 4 * 8 * 4 * 2;
  static constexpr Conversion at(std::size_t key) {
    Key k{key};
    const Type from = integers[k.digit(8)], to = integers[k.digit(8)];
    const std::uint8_t from_bytes = k.bytes(), to_bytes = k.bytes();
    return {from, to, from_bytes, to_bytes, Round::nearest_even, false, false, k.flag(), false};
  }
};
struct FloatToInteger {
  static constexpr std::size_t size = 4 * 8 * 4 * 4 * 2;
  static constexpr Conversion at(std::size_t key) {
    Key k{key};
    const Type from = floats[k.digit(4)], to = integers[k.digit(8)];
    const std::uint8_t to_bytes = k.bytes();
    const Round mode = k.mode();
    return {from, to, bytes_of(from), to_bytes, mode, false, k.flag(), false, false};
  }
};
struct IntegerToFloat {
  static constexpr std::size_t size = 8 * 4 * 4 * 4;
  static constexpr Conversion at(std::size_t key) {
    Key k{key};
    const Type from = integers[k.digit(8)], to = floats[k.digit(4)];
    const std::uint8_t from_bytes = k.bytes();
    return {from, to, from_bytes, bytes_of(to), k.mode(), false, false, false, false};
  }
};
struct FloatToFloat {
  static constexpr std::size_t size = 4 * 4 * 4 * 16;
  static constexpr Conversion at(std::size_t key) {
    Key k{key};
    const Type from = floats[k.digit(4)], to = floats[k.digit(4)];
    const Round mode = k.mode();
    const bool integral = k.flag(), ftz = k.flag(), sat = k.flag(), relu = k.flag();
    return {from, to, bytes_of(from), bytes_of(to), mode, integral, ftz, sat, relu};
  }
};

template <class Kind, std::size_t key>
void trampoline(const AluCall& call) {
  static constexpr Conversion conversion = Kind::at(key);
  run_conversion(conversion, call);
}
template <class Kind, std::size_t... key>
constexpr std::array<AluFunction, Kind::size> table_of(std::index_sequence<key...>) {
  return {trampoline<Kind, key>...};
}
template <class Kind>
constexpr auto table = table_of<Kind>(std::make_index_sequence<Kind::size>{});

bool same(const Conversion& a, const Conversion& b) {
  return a.from == b.from && a.to == b.to && a.from_bytes == b.from_bytes && a.to_bytes == b.to_bytes &&
         a.mode == b.mode && a.integral == b.integral && a.ftz == b.ftz && a.sat == b.sat && a.relu == b.relu;
}
template <class Kind>
AluFunction find(const Conversion& c) {
  for (std::size_t key = 0; key < Kind::size; ++key)
    if (same(Kind::at(key), c)) return table<Kind>[key];
  return nullptr;
}

}  // namespace

AluFunction conversion_function(const Conversion& c) {
  if (is_float(c.from)) return is_float(c.to) ? find<FloatToFloat>(c) : find<FloatToInteger>(c);
  return is_float(c.to) ? find<IntegerToFloat>(c) : find<IntegerToInteger>(c);
}

}  // namespace twofour::emu::ptx
