#include "pair_sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "oracle.h"
#include "parallel.h"
#include "twofour/emu/numerics/block.h"

namespace twofour::oracle {
namespace {

struct Half {
  double value;
  int exponent;
};

/// Value and raw exponent of every f16 word.
const std::array<Half, 65536>& halves() {
  static const auto table = [] {
    std::array<Half, 65536> t;
    for (std::uint32_t w = 0; w < 65536; ++w) {
      const int field = int(w >> 10 & 31), fraction = int(w & 1023), exponent = std::max(field, 1) - 15;
      double v = std::ldexp(field == 0 ? fraction : fraction + 1024, exponent - 10);
      if (field == 31) v = fraction != 0 ? std::numeric_limits<double>::quiet_NaN() : HUGE_VAL;
      t[w] = {w >> 15 != 0 ? -v : v, exponent};
    }
    return t;
  }();
  return table;
}

double power_of_two(int exponent) {
  return std::bit_cast<double>(std::uint64_t(exponent + 1023) << 52);
}

/// Exponent field of a finite f32 word, that of a subnormal counted as the smallest normal one.
int f32_exponent(std::uint32_t word) {
  return std::max(int(word >> 23 & 255), 1) - 127;
}

/// Exponent of a double's leading bit (normal doubles).
int leading_exponent(double value) {
  return int(std::bit_cast<std::uint64_t>(value) >> 52 & 2047) - 1023;
}

}  // namespace

PairFormula::PairFormula(isa::Architecture architecture, isa::ElementType accumulator)
    : half_(accumulator == isa::ElementType::f16) {
  const auto p = parameters(architecture, "f16", isa::name(accumulator)).value();
  fraction_bits_ = p.fraction_bits;
  zero_exponent_ = p.zero_exponent;
}

std::uint32_t PairFormula::operator()(std::uint32_t a, std::uint32_t b, std::uint32_t c_word) const {
  const Half x = halves()[a], y = halves()[b];
  const double c = half_ ? halves()[c_word].value : double(std::bit_cast<float>(c_word));
  const double product = x.value * y.value, special = product + c;
  if (!(std::fabs(special) <= std::numeric_limits<double>::max())) {
    if (special != special) return half_ ? 0x7fff : 0x7fffffff;
    return (half_ ? 0x7c00u : 0x7f800000u) | (special < 0 ? (half_ ? 0x8000u : 0x80000000u) : 0u);
  }
  const int product_exponent = product == 0 ? zero_exponent_ : x.exponent + y.exponent;
  const int c_exponent = c == 0 ? zero_exponent_ : half_ ? halves()[c_word].exponent : f32_exponent(c_word);
  const int unit = std::max(product_exponent, c_exponent) - fraction_bits_;
  const double up = power_of_two(-unit);
  const double sum = std::trunc(product * up) + std::trunc(c * up);
  if (sum == 0) return 0;
  return half_ ? to_f16(sum * power_of_two(unit)) : to_f32(sum * power_of_two(unit));
}

/// Toward zero: the excess bits of the double are dropped.
std::uint32_t PairFormula::to_f32(double value) const {
  const std::uint32_t sign = value < 0 ? 0x80000000u : 0u;
  const double magnitude = std::fabs(value);
  if (magnitude >= 0x1p128) return sign | 0x7f800000u;
  if (magnitude < 0x1p-126) return sign | std::uint32_t(magnitude * 0x1p149);
  return sign |
         std::uint32_t((std::bit_cast<std::uint64_t>(magnitude) - (std::uint64_t(1023 - 127) << 52)) >> 29);
}

/// To nearest even: adding 2^52 units of the result rounds to whole units.
std::uint32_t PairFormula::to_f16(double value) const {
  const std::uint32_t sign = value < 0 ? 0x8000u : 0u;
  const double magnitude = std::fabs(value);
  if (magnitude >= 65520) return sign | 0x7c00u;
  const int exponent = std::max(leading_exponent(magnitude), -14);
  const double units = (magnitude * power_of_two(10 - exponent) + 0x1p52) - 0x1p52;
  return sign | (std::uint32_t(units) + (std::uint32_t(exponent + 14) << 10));
}

std::vector<std::uint32_t> sweep_accumulators(isa::ElementType accumulator) {
  // Zero, one and a unit, a subnormal, the largest in size, and one among the small products.
  if (accumulator == isa::ElementType::f16) return {0x0000, 0x3c01, 0x83ff, 0xfbff, 0x1401};
  return {0x00000000, 0x3f800001, 0x80000003, 0x7f7fffff, 0xb27fffff};
}

std::string sweep(const PairSweep& s) {
  const PairFormula formula(s.architecture, s.accumulator);
  const auto& rule = isa::block_rule(s.architecture, isa::ElementType::f16, s.accumulator);
  return first_complaint(65536, [&](int n) -> std::string {
    const auto a = std::uint32_t(n);
    for (std::uint32_t b = (s.phase + s.stride - a % s.stride) % s.stride; b < 65536; b += s.stride) {
      const std::uint32_t got = emu::block_dot({isa::ElementType::f16, isa::ElementType::f16, s.accumulator},
                                               rule, {&a, 1}, {&b, 1}, s.c);
      const std::uint32_t want = formula(a, b, s.c);
      if (got != want)
        return fmt::format("{} {}: {:#06x} * {:#06x} + {:#x} gives {:#x}, the formula {:#x}",
                           isa::name(s.architecture), isa::name(s.accumulator), a, b, s.c, got, want);
    }
    return "";
  });
}

}  // namespace twofour::oracle
