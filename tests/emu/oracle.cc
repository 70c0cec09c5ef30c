#include "oracle.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace twofour::oracle {
namespace {

using isa::ElementType;

double from_f32(std::uint32_t word) {
  float f = 0;
  std::memcpy(&f, &word, 4);
  return f;
}

double from_f16(std::uint32_t word) {
  const double sign = word & 0x8000 ? -1 : 1;
  const int field = int(word >> 10 & 31), fraction = int(word & 1023);
  if (field == 31) return fraction != 0 ? std::numeric_limits<double>::quiet_NaN() : sign * HUGE_VAL;
  return sign * (field == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, field - 25));
}

double value(ElementType type, std::uint32_t word) {
  switch (type) {
    case ElementType::f16: return from_f16(word);
    case ElementType::bf16: return from_f32(word << 16);
    case ElementType::tf32: return from_f32(word >> 13 << 13);
    default: return from_f32(word);
  }
}

/// The exponent that the hardware sees: that of a subnormal is the smallest normal one.
int raw_exponent(ElementType type, double v) {
  return std::max(std::ilogb(v), type == ElementType::f16 ? -14 : -126);
}

/// Truncation of an exact double to f32.
std::uint32_t to_f32_toward_zero(double v) {
  if (std::fabs(v) >= std::ldexp(1, 128)) return v < 0 ? 0xff800000u : 0x7f800000u;
  const int unit = std::max(std::ilogb(v), -126) - 23;
  const auto f = float(std::ldexp(std::trunc(std::ldexp(v, -unit)), unit));
  std::uint32_t word = 0;
  std::memcpy(&word, &f, 4);
  return word;
}

std::uint32_t to_f16_nearest(double v) {
  const std::uint32_t sign = v < 0 ? 0x8000 : 0;
  if (std::fabs(v) >= 65520) return sign | 0x7c00;
  const int exponent = std::max(std::ilogb(v), -14);
  const auto units = std::uint32_t(std::nearbyint(std::ldexp(std::fabs(v), 10 - exponent)));  // ties to even
  return sign | (units + (std::uint32_t(exponent + 14) << 10));
}

std::uint32_t block(const isa::Instruction& i, const double* a, const double* b, int count,
                    std::uint32_t c_word) {
  const bool half = i.d == ElementType::f16;
  const double c = half ? from_f16(c_word) : from_f32(c_word);
  const int e0 = half ? -21 : -132;
  double special = c;
  for (int k = 0; k < count; ++k) special += std::isfinite(a[k]) && std::isfinite(b[k]) ? 0 : a[k] * b[k];
  if (std::isnan(special)) return half ? 0x7fff : 0x7fffffff;
  if (std::isinf(special))
    return (half ? 0x7c00u : 0x7f800000u) | (special < 0 ? (half ? 0x8000u : 0x80000000u) : 0u);

  int emax = c == 0 ? e0 : raw_exponent(i.d, c);
  for (int k = 0; k < count; ++k)
    emax = std::max(emax, a[k] * b[k] == 0 ? e0 : raw_exponent(i.a, a[k]) + raw_exponent(i.b, b[k]));
  const auto truncated = [&](double v) { return std::trunc(std::ldexp(v, 24 - emax)); };
  double sum = truncated(c);
  for (int k = 0; k < count; ++k) sum += truncated(a[k] * b[k]);
  if (sum == 0) return 0;
  return half ? to_f16_nearest(std::ldexp(sum, emax - 24)) : to_f32_toward_zero(std::ldexp(sum, emax - 24));
}

std::int64_t integer(ElementType type, std::uint32_t word) {
  switch (type) {
    case ElementType::s8: return std::int8_t(word);
    case ElementType::s4: return word < 8 ? std::int64_t(word) : std::int64_t(word) - 16;
    default: return word;
  }
}

}  // namespace

std::vector<isa::Instruction> sm_80_tensor_core_rows() {
  std::vector<isa::Instruction> rows;
  for (const auto& i : isa::instructions())
    if (i.is_tensor_core() && isa::requirement(i).sm <= 80) rows.push_back(i);
  return rows;
}

std::uint32_t ampere_float_dot(const isa::Instruction& i, const std::vector<std::uint32_t>& a,
                               const std::vector<std::uint32_t>& b, std::uint32_t c) {
  const int products = i.a == ElementType::tf32 ? 4 : 8;
  for (std::size_t at = 0; at < a.size(); at += std::size_t(products)) {
    double x[8], y[8];
    for (int k = 0; k < products; ++k) {
      x[k] = value(i.a, a[at + std::size_t(k)]);
      y[k] = value(i.b, b[at + std::size_t(k)]);
    }
    c = block(i, x, y, products, c);
  }
  return c;
}

std::int32_t integer_dot(const isa::Instruction& i, const std::vector<std::uint32_t>& a,
                         const std::vector<std::uint32_t>& b, std::int32_t c) {
  std::int64_t sum = c;
  for (std::size_t k = 0; k < a.size(); ++k) {
    if (i.op == isa::BitOp::and_popc)
      sum += a[k] != 0 && b[k] != 0;
    else if (i.op == isa::BitOp::xor_popc)
      sum += a[k] != b[k];
    else
      sum += integer(i.a, a[k]) * integer(i.b, b[k]);
  }
  return std::int32_t(std::uint32_t(std::uint64_t(sum)));
}

std::uint32_t random_word(ElementType type, std::mt19937& random, bool specials) {
  const int width = isa::bits(type);
  const std::uint32_t mask = width >= 32 ? ~0u : (1u << width) - 1;
  if (!isa::is_float(type)) return std::uint32_t(random()) & mask;
  const bool half = type == ElementType::f16;
  const int fraction_bits = half ? 10 : (type == ElementType::bf16 ? 7 : 23);
  const int top = half ? 31 : 255, middle = half ? 15 : 127;
  const auto sign = std::uint32_t(random() & 1) << (width - 1);
  auto fraction = std::uint32_t(random() & ((1u << fraction_bits) - 1));
  int field = 0;
  switch (random() % 16) {
    case 0: field = 0, fraction = 0; break;                               // zero
    case 1: field = 0; break;                                             // subnormal
    case 2: field = int(random() % unsigned(top)); break;                 // anywhere
    case 3: field = top - 1 - int(random() % 3); break;                   // huge
    case 4: field = 1 + int(random() % 3); break;                         // tiny
    case 5: fraction = 0, field = middle + int(random() % 5) - 2; break;  // powers of two: ties, cancellation
    case 6:
      field = specials ? top : middle;
      fraction = random() % 2 ? 0 : fraction;
      break;
    default: field = middle + int(random() % 9) - 4;
  }
  return sign | std::uint32_t(field) << fraction_bits | fraction;
}

/// An f64 word in [-4, 4) whose products round.
static std::uint64_t random_double(std::mt19937& random) {
  const double v = std::ldexp(double(random()), -29) - 4 + std::ldexp(double(random()), -80);
  std::uint64_t word = 0;
  std::memcpy(&word, &v, 8);
  return word;
}

emu::PackedMatrix random_matrix(ElementType type, std::int64_t rows, std::int64_t cols, std::mt19937& random,
                                bool specials, bool sparse) {
  emu::PackedMatrix m(type, rows, cols);
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < cols; ++c)
      m.set_bits(r, c,
                 type == ElementType::f64 ? random_double(random) : random_word(type, random, specials));
  if (!sparse) return m;
  const bool pairs = isa::bits(type) == 4;
  const std::int64_t unit = pairs ? 2 : 1, units = type == ElementType::tf32 ? 2 : 4, drop = units / 2;
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t g = 0; g < cols; g += unit * units) {
      std::vector<std::int64_t> order(static_cast<std::size_t>(units));
      for (std::int64_t u = 0; u < units; ++u) order[std::size_t(u)] = u;
      std::shuffle(order.begin(), order.end(), random);
      for (std::int64_t u = 0; u < drop; ++u)
        for (std::int64_t e = 0; e < unit; ++e) m.set_bits(r, g + order[std::size_t(u)] * unit + e, 0);
    }
  return m;
}

}  // namespace twofour::oracle
