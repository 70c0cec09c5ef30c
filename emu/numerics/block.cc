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

Special find_special(FloatFormat in, FloatFormat out, std::span<const std::uint32_t> a,
                     std::span<const std::uint32_t> b, std::uint32_t c) {
  bool nan = out.is_nan(c);
  bool infinite[2] = {};
  if (out.is_infinite(c)) infinite[out.is_negative(c)] = true;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool any_infinite = in.is_infinite(a[i]) || in.is_infinite(b[i]);
    nan |= in.is_nan(a[i]) || in.is_nan(b[i]) || (any_infinite && (in.is_zero(a[i]) || in.is_zero(b[i])));
    if (any_infinite) infinite[in.is_negative(a[i]) != in.is_negative(b[i])] = true;
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

Term product(FloatFormat in, std::uint32_t a, std::uint32_t b, int zero_exponent) {
  const Decoded x = decode(in, a), y = decode(in, b);
  const std::uint64_t magnitude = std::uint64_t(x.significand) * y.significand;
  const int exponent = magnitude == 0 ? zero_exponent : x.exponent + y.exponent;
  return {x.negative != y.negative, magnitude, exponent, 2 * in.fraction_bits};
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

std::uint32_t block_dot(isa::ElementType input, isa::ElementType accumulator, const isa::BlockRule& rule,
                        std::span<const std::uint32_t> a, std::span<const std::uint32_t> b, std::uint32_t c) {
  constexpr std::size_t max_products = 32;
  const FloatFormat in = float_format(input), out = float_format(accumulator);
  std::uint32_t x[max_products], y[max_products];
  const std::size_t count = a.size();
  for (std::size_t i = 0; i < count; ++i) {
    x[i] = operand_word(input, a[i]);
    y[i] = operand_word(input, b[i]);
  }
  if (const Special s = find_special(in, out, {x, count}, {y, count}, c); s.found) return s.word;

  Term terms[max_products + 1];
  for (std::size_t i = 0; i < count; ++i) terms[i] = product(in, x[i], y[i], rule.zero_exponent);
  terms[count] = addend(out, c, rule.zero_exponent);
  int emax = terms[count].exponent;
  for (std::size_t i = 0; i < count; ++i) emax = std::max(emax, terms[i].exponent);
  std::int64_t sum = 0;
  for (std::size_t i = 0; i <= count; ++i) sum += align(terms[i], emax, rule.fraction_bits);
  const int dropped = std::max(0, out.fraction_bits - rule.result_fraction_bits);
  const FloatFormat result{out.exponent_bits, out.fraction_bits - dropped};
  return encode(result, rule.rounding, sum < 0, std::uint64_t(sum < 0 ? -sum : sum),
                emax - rule.fraction_bits)
         << dropped;
}

}  // namespace twofour::emu
