#include "twofour/nas/search/decimal_grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string_view>

namespace twofour::nas {
namespace {

constexpr int max_digits = 37;  ///< 10^37 < 2^126

/// significand * 10^exponent, at most 17 digits and no trailing zero.
struct Decimal {
  std::int64_t significand = 0;
  int exponent = 0;
};

Decimal shortest_decimal(double value) {
  char buffer[32];
  const char* end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  const std::string_view text(buffer, std::size_t(end - buffer));  // -d.ddde+xx
  const std::size_t e = text.find('e');
  Decimal d;
  const char* power = text.data() + e + 1;
  std::from_chars(power + (*power == '+'), end, d.exponent);
  bool fraction = false;
  for (const char c : text.substr(0, e)) {
    if (c == '.') fraction = true;
    if (c < '0' || c > '9') continue;
    d.significand = d.significand * 10 + (c - '0');
    d.exponent -= fraction;
  }
  while (d.significand != 0 && d.significand % 10 == 0) {
    d.significand /= 10;
    ++d.exponent;
  }
  if (value < 0) d.significand = -d.significand;
  return d.significand == 0 ? Decimal{} : d;
}

Int128 power_of_ten(int exponent) {
  Int128 power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

}  // namespace

DecimalGrid::DecimalGrid(std::span<const double> values) {
  long double sum = 0;
  int finest = std::numeric_limits<int>::max();
  for (const double v : values) {
    if (v == 0) continue;
    sum += std::fabs(static_cast<long double>(v)) * (1 + 1e-15L);  // the decimal number may exceed the double
    finest = std::min(finest, shortest_decimal(v).exponent);
  }
  if (sum == 0) return;
  const int coarsest_needed = int(std::floor(std::log10(sum))) + 1 - max_digits;
  exact_ = finest >= coarsest_needed;
  exponent_ = std::max(finest, coarsest_needed);
}

Int128 DecimalGrid::nearest(double value) const {
  const Decimal d = shortest_decimal(value);
  if (d.significand == 0) return 0;
  const int shift = d.exponent - exponent_;
  if (shift >= 0) return d.significand * power_of_ten(shift);
  if (shift < -max_digits) return 0;
  const Int128 unit = power_of_ten(-shift);
  const Int128 half = d.significand < 0 ? -(unit / 2) : unit / 2;
  return (d.significand + half) / unit;
}

Int128 DecimalGrid::at_most(double value) const {
  const Decimal d = shortest_decimal(value);
  const int shift = d.exponent - exponent_;
  const Int128 limit = power_of_ten(max_digits);
  if (d.significand == 0) return 0;
  if (shift >= max_digits) return limit;
  if (shift >= 0) {
    const Int128 power = power_of_ten(shift);
    return d.significand > limit / power ? limit : d.significand * power;
  }
  return shift < -max_digits ? 0 : d.significand / power_of_ten(-shift);
}

double DecimalGrid::to_double(Int128 units) const {
  return std::strtod(fmt::format("{}e{}", units, exponent_).c_str(), nullptr);
}

double DecimalGrid::to_double_up(Int128 units) const {
  double value = to_double(units);
  while (std::isfinite(value) && at_most(value) < units)
    value = std::nextafter(value, std::numeric_limits<double>::infinity());
  return value;
}

}  // namespace twofour::nas
