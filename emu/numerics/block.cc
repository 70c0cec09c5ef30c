#include "twofour/emu/numerics/block.h"

#include <algorithm>
#include <bit>

namespace twofour::emu {
namespace {

/// The answer of step 1, if the block has one.
struct Special {
  bool found = false;
  std::uint32_t word = 0;
};

Special find_special(FloatFormat of_a, FloatFormat of_b, FloatFormat out, std::span<const std::uint32_t> a,
                     std::span<const std::uint32_t> b, std::uint32_t c) {
  bool nan = out.is_nan(c);
  bool infinite[2] = {};
  if (out.is_infinite(c)) infinite[out.is_negative(c)] = true;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool any_infinite = of_a.is_infinite(a[i]) || of_b.is_infinite(b[i]);
    const bool any_zero = of_a.is_zero(a[i]) || of_b.is_zero(b[i]);
    nan |= of_a.is_nan(a[i]) || of_b.is_nan(b[i]) || (any_infinite && any_zero);
    if (any_infinite) infinite[of_a.is_negative(a[i]) != of_b.is_negative(b[i])] = true;
  }
  if (nan || (infinite[0] && infinite[1])) return {true, out.magnitude_mask()};
  if (infinite[0]) return {true, out.infinity()};
  if (infinite[1]) return {true, out.infinity() | (out.magnitude_mask() + 1)};
  return {};
}

/// One addend of the window: magnitude * 2^(exponent - fraction).
struct Term {
  bool negative;
  std::uint64_t magnitude;
  int exponent, fraction;
};

Term product(FloatFormat of_a, FloatFormat of_b, std::uint32_t a, std::uint32_t b, int zero_exponent) {
  const Decoded x = decode(of_a, a), y = decode(of_b, b);
  const std::uint64_t magnitude = std::uint64_t(x.significand) * y.significand;
  const int exponent = magnitude == 0 ? zero_exponent : x.exponent + y.exponent;
  return {x.negative != y.negative, magnitude, exponent, of_a.fraction_bits + of_b.fraction_bits};
}

Term addend(FloatFormat out, std::uint32_t c, int zero_exponent) {
  const Decoded x = decode(out, c);
  return {x.negative, x.significand, x.significand == 0 ? zero_exponent : x.exponent, out.fraction_bits};
}

/// The term in units of 2^(emax - F), its magnitude truncated.
std::int64_t align(const Term& term, int emax, int fraction_bits) {
  const int left = fraction_bits - term.fraction - (emax - term.exponent);
  std::uint64_t magnitude = 0;
  if (left >= 0)
    magnitude = term.magnitude << left;
  else if (left > -64)
    magnitude = term.magnitude >> -left;
  return term.negative ? -std::int64_t(magnitude) : std::int64_t(magnitude);
}

}  // namespace

Decoded decode(FloatFormat format, std::uint32_t word) {
  const std::uint32_t fraction = word & ((1u << format.fraction_bits) - 1);
  const int field = int((word & format.magnitude_mask()) >> format.fraction_bits);
  const bool normal = field != 0;
  return {format.is_negative(word), normal ? fraction | (1u << format.fraction_bits) : fraction,
          normal ? field - format.bias() : format.min_exponent()};
}

std::uint32_t encode(FloatFormat format, isa::Rounding rounding, bool negative, std::uint64_t magnitude,
                     int lsb_exponent) {
  if (magnitude == 0) return 0;
  const std::uint32_t sign = negative ? format.magnitude_mask() + 1 : 0;
  const int top = lsb_exponent + int(std::bit_width(magnitude)) - 1;  // exponent of the leading bit
  const int exponent = std::max(top, format.min_exponent());
  const int drop = exponent - format.fraction_bits - lsb_exponent;  // bits below the result's last place
  std::uint64_t kept = 0;
  if (drop <= 0) {
    kept = magnitude << -drop;
  } else if (drop < 64) {
    kept = magnitude >> drop;
    const std::uint64_t rest = magnitude & ((std::uint64_t(1) << drop) - 1), half = std::uint64_t(1)
                                                                                    << (drop - 1);
    if (rounding == isa::Rounding::nearest_even && (rest > half || (rest == half && (kept & 1)))) ++kept;
  }
  // The hidden bit, where there is one, carries into the exponent field.
  const std::uint64_t field = std::uint64_t(exponent - format.min_exponent()) << format.fraction_bits;
  const std::uint64_t word = field + kept;
  return sign | std::uint32_t(std::min<std::uint64_t>(word, format.infinity()));
}

std::uint32_t block_dot(const BlockTypes& types, const isa::BlockRule& rule, std::span<const std::uint32_t> a,
                        std::span<const std::uint32_t> b, std::uint32_t c) {
  constexpr std::size_t max_products = 32;
  const FloatFormat of_a = float_format(types.a), of_b = float_format(types.b),
                    out = float_format(types.accumulator);
  std::uint32_t x[max_products], y[max_products];
  const std::size_t count = a.size();
  for (std::size_t k = 0; k < count; ++k) {
    x[k] = operand_word(types.a, a[k]);
    y[k] = operand_word(types.b, b[k]);
  }
  if (const Special s = find_special(of_a, of_b, out, {x, count}, {y, count}, c); s.found) return s.word;

  Term terms[max_products + 1];
  for (std::size_t k = 0; k < count; ++k) terms[k] = product(of_a, of_b, x[k], y[k], rule.zero_exponent);
  terms[count] = addend(out, c, rule.zero_exponent);
  int emax = terms[count].exponent;
  for (std::size_t k = 0; k < count; ++k) emax = std::max(emax, terms[k].exponent);
  std::int64_t sum = 0;
  for (std::size_t k = 0; k <= count; ++k) sum += align(terms[k], emax, rule.fraction_bits);
  const int dropped = std::max(0, out.fraction_bits - rule.result_fraction_bits);
  const FloatFormat result{out.exponent_bits, out.fraction_bits - dropped};
  return encode(result, rule.rounding, sum < 0, std::uint64_t(sum < 0 ? -sum : sum),
                emax - rule.fraction_bits)
         << dropped;
}

}  // namespace twofour::emu
