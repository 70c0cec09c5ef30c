#include "alu_oracle.h"

namespace alu_test {
namespace {

using std::uint64_t;

/// The f64 result NaN: the first operand that is one, made quiet.
uint64_t nan_of(const Format& f, std::initializer_list<uint64_t> operands) {
  if (f.width == 64)
    for (const uint64_t word : operands)
      if (is_nan(f, word)) return word | uint64_t(1) << 51;
  return f.nan;
}
bool any_nan(const Format& f, std::initializer_list<uint64_t> operands) {
  for (const uint64_t word : operands)
    if (is_nan(f, word)) return true;
  return false;
}
bool is_zero(const Format& f, uint64_t word) {
  return (word & ~f.sign()) == 0;
}
/// Sign of an exact zero sum of a and b.
uint64_t zero_sign(const Format& f, uint64_t a_sign, uint64_t b_sign, char mode) {
  if (a_sign == b_sign) return a_sign;
  return mode == 'm' ? f.sign() : 0;
}

}  // namespace

bool is_nan(const Format& f, uint64_t word) {
  return (word & ~f.sign()) > f.infinity();
}
bool is_infinite(const Format& f, uint64_t word) {
  return (word & ~f.sign()) == f.infinity();
}

mpq_class power(int e) {
  mpz_class z = 1;
  z <<= unsigned(e < 0 ? -e : e);
  return e < 0 ? mpq_class(1, z) : mpq_class(z);
}

mpq_class value(const Format& f, uint64_t word) {
  const int exponent = int((word & ~f.sign()) >> f.fraction);
  const uint64_t low = word & ((uint64_t(1) << f.fraction) - 1);
  const uint64_t significand = exponent == 0 ? low : low | uint64_t(1) << f.fraction;
  const mpq_class magnitude = mpq_class(mpz_class(static_cast<unsigned long>(significand))) *
                              power((exponent == 0 ? 1 : exponent) - f.bias() - f.fraction);
  return (word & f.sign()) != 0 ? mpq_class(-magnitude) : magnitude;
}

uint64_t rounded(const Format& f, const mpq_class& x, char mode) {
  const bool negative = x < 0;
  const mpq_class magnitude = abs(x);
  int e = int(mpz_sizeinbase(magnitude.get_num_mpz_t(), 2)) - int(mpz_sizeinbase(magnitude.get_den_mpz_t(), 2));
  while (power(e) > magnitude) --e;
  while (power(e + 1) <= magnitude) ++e;
  if (e < 1 - f.bias()) e = 1 - f.bias();  // subnormal
  const mpq_class steps = magnitude / power(e - f.fraction);
  mpz_class kept = steps.get_num() / steps.get_den();
  const mpq_class rest = steps - kept, half(1, 2);
  bool up = false;
  if (mode == 'n') up = rest > half || (rest == half && mpz_odd_p(kept.get_mpz_t()) != 0);
  if (mode == 'a') up = rest >= half;
  if (mode == 'm') up = negative && rest != 0;
  if (mode == 'p') up = !negative && rest != 0;
  if (up) kept += 1;
  // A carry out of the fraction moves into the exponent, a hidden one too.
  const uint64_t word = (uint64_t(e + f.bias() - 1) << f.fraction) + kept.get_ui();
  const uint64_t sign = negative ? f.sign() : 0;
  if (e + f.bias() - 1 < 0 || word < f.infinity()) return sign | word;
  const bool to_infinity = mode == 'n' || mode == 'a' || (mode == 'm' && negative) || (mode == 'p' && !negative);
  return sign | (f.infinity() - (to_infinity ? 0 : 1));
}
uint64_t rounded(const Format& f, const mpq_class& x, char mode, uint64_t zero) {
  return x == 0 ? zero : rounded(f, x, mode);
}

uint64_t sum(const Format& f, uint64_t a, uint64_t b, char mode) {
  if (any_nan(f, {a, b})) return nan_of(f, {a, b});
  if (is_infinite(f, a)) return is_infinite(f, b) && a != b ? f.nan : a;
  if (is_infinite(f, b)) return b;
  return rounded(f, value(f, a) + value(f, b), mode, zero_sign(f, a & f.sign(), b & f.sign(), mode));
}

uint64_t product(const Format& f, uint64_t a, uint64_t b, char mode) {
  const uint64_t sign = (a ^ b) & f.sign();
  if (any_nan(f, {a, b})) return nan_of(f, {a, b});
  if (is_infinite(f, a) || is_infinite(f, b))
    return is_zero(f, a) || is_zero(f, b) ? f.nan : sign | f.infinity();
  return rounded(f, value(f, a) * value(f, b), mode, sign);
}

uint64_t product_sum(const Format& f, uint64_t a, uint64_t b, uint64_t c, char mode) {
  const uint64_t sign = (a ^ b) & f.sign();
  if (any_nan(f, {a, b, c})) return nan_of(f, {a, b, c});
  if (is_infinite(f, a) || is_infinite(f, b)) {
    const uint64_t p = product(f, a, b, mode);
    return is_nan(f, p) ? p : sum(f, p, c, mode);
  }
  if (is_infinite(f, c)) return c;
  return rounded(f, value(f, a) * value(f, b) + value(f, c), mode, zero_sign(f, sign, c & f.sign(), mode));
}

uint64_t quotient(const Format& f, uint64_t a, uint64_t b, char mode) {
  const uint64_t sign = (a ^ b) & f.sign();
  if (any_nan(f, {a, b})) return nan_of(f, {a, b});
  if (is_infinite(f, a)) return is_infinite(f, b) ? f.nan : sign | f.infinity();
  if (is_infinite(f, b)) return sign;
  if (is_zero(f, b)) return is_zero(f, a) ? f.nan : sign | f.infinity();
  return rounded(f, value(f, a) / value(f, b), mode, sign);
}

uint64_t square_root(const Format& f, uint64_t a, char mode) {
  if (is_nan(f, a)) return nan_of(f, {a});
  if (is_zero(f, a)) return a;
  if ((a & f.sign()) != 0) return f.nan;
  if (is_infinite(f, a)) return a;
  // The root's integer part at 2^-1200, and one bit more that says whether it is exact.
  const mpq_class scaled = value(f, a) * power(2400);
  const mpz_class whole = scaled.get_num() / scaled.get_den();
  mpz_class root = sqrt(whole);
  const bool exact = root * root == whole && scaled.get_den() == 1;
  root = root * 2 + (exact ? 0 : 1);
  return rounded(f, mpq_class(root) * power(-1201), mode);
}

uint64_t flushed(const Format& f, uint64_t word) {
  return (word & f.infinity()) == 0 ? word & f.sign() : word;
}
uint64_t saturated(const Format& f, uint64_t word) {
  if (is_nan(f, word) || (word & f.sign()) != 0) return 0;
  const uint64_t one = uint64_t(f.bias()) << f.fraction;
  return word < one ? word : one;
}

}  // namespace alu_test
