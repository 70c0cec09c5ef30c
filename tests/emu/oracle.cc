#include "oracle.h"

#include <algorithm>
#include <array>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace twofour::oracle {
namespace {

mpz_class shifted(const mpz_class& value, int left) {
  if (left >= 0) return value << static_cast<mp_bitcnt_t>(left);
  mpz_class out;  // toward zero
  mpz_tdiv_q_2exp(out.get_mpz_t(), value.get_mpz_t(), static_cast<mp_bitcnt_t>(-left));
  return out;
}

Exact product(const Exact& x, const Exact& y) {
  return {x.integer * y.integer, x.lsb + y.lsb};
}

Exact sum(const Exact& x, const Exact& y) {
  const int lsb = std::min(x.lsb, y.lsb);
  return {shifted(x.integer, x.lsb - lsb) + shifted(y.integer, y.lsb - lsb), lsb};
}

std::uint64_t infinity(const Format& f) {
  return ((std::uint64_t(1) << f.exponent_bits) - 1) << f.fraction_bits << f.unread;
}

std::uint64_t sign_bit(const Format& f) {
  return std::uint64_t(1) << (f.exponent_bits + f.fraction_bits + f.unread);
}

/// Whether the magnitude quotient + remainder / 2^drop goes up to the next integer.
bool rounds_up(const mpz_class& quotient, const mpz_class& remainder, int drop, bool negative, Direction d) {
  if (remainder == 0) return false;
  switch (d) {
    case Direction::toward_zero: return false;
    case Direction::down: return negative;
    case Direction::up: return !negative;
    case Direction::nearest_even: break;
  }
  const int against_half = cmp(remainder * 2, shifted(1, drop));
  return against_half > 0 || (against_half == 0 && mpz_odd_p(quotient.get_mpz_t()) != 0);
}

bool points_to_infinity(bool negative, Direction d) {
  return d == Direction::nearest_even || d == (negative ? Direction::down : Direction::up);
}

/// The sum's infinities and NaNs, if there are any: of the terms a * b and c, each by its sign.
std::optional<std::uint64_t> special(const Format& result, std::span<const Number> a,
                                     std::span<const Number> b, const Number& c) {
  bool nan = c.kind == Kind::nan, up = false, down = false;
  const auto infinite = [&](bool negative) { (negative ? down : up) = true; };
  if (c.kind == Kind::infinite) infinite(c.negative);
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto pair = std::array{a[i], b[i]};
    for (std::size_t j = 0; j < 2; ++j) {
      const Number &x = pair[j], &y = pair[1 - j];
      nan |= x.kind == Kind::nan;
      if (x.kind != Kind::infinite) continue;
      nan |= y.kind == Kind::finite && y.value.integer == 0;
      infinite(x.negative != y.negative);
    }
  }
  if (nan || (up && down)) return sign_bit(result) - 1;
  if (up) return infinity(result);
  if (down) return infinity(result) | sign_bit(result);
  return std::nullopt;
}

std::int64_t integer(isa::ElementType type, std::uint64_t word) {
  const int width = isa::bits(type);
  const auto value = std::int64_t(word);
  const bool negative = isa::is_signed(type) && (word >> (width - 1) & 1) != 0;
  return negative ? value - (std::int64_t(1) << width) : value;
}

std::uint64_t integer_dot(const isa::Instruction& i, Words a, Words b, std::uint64_t c, bool satfinite) {
  mpz_class total = long(integer(isa::ElementType::s32, c));
  for (std::size_t k = 0; k < a.size(); ++k) switch (i.op) {
      case isa::BitOp::and_popc: total += a[k] == 1 && b[k] == 1 ? 1 : 0; break;
      case isa::BitOp::xor_popc: total += a[k] != b[k] ? 1 : 0; break;
      case isa::BitOp::none: total += long(integer(i.a, a[k]) * integer(i.b, b[k]));
    }
  const mpz_class most = shifted(1, 31) - 1, least = -shifted(1, 31);
  if (satfinite) total = std::clamp(total, least, most);
  mpz_class wrapped;
  mpz_fdiv_r_2exp(wrapped.get_mpz_t(), total.get_mpz_t(), 32);
  return wrapped.get_ui();
}

}  // namespace

Format format(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, Format>, 7> formats{{{"e4m3", e4m3},
                                                                        {"e5m2", e5m2},
                                                                        {"f16", f16},
                                                                        {"bf16", bf16},
                                                                        {"tf32", tf32},
                                                                        {"f32", f32},
                                                                        {"f64", f64}}};
  for (const auto& [known, f] : formats)
    if (known == name) return f;
  throw std::logic_error("the oracle has no format " + std::string(name));
}

Number decode(const Format& f, std::uint64_t word) {
  const std::uint64_t read = word >> f.unread, ones = (std::uint64_t(1) << f.exponent_bits) - 1;
  const std::uint64_t fraction = read & ((std::uint64_t(1) << f.fraction_bits) - 1);
  const std::uint64_t field = read >> f.fraction_bits & ones;
  const bool negative = (read >> (f.fraction_bits + f.exponent_bits) & 1) != 0;
  const auto significand = (field == 0 ? 0 : std::uint64_t(1) << f.fraction_bits) + fraction;
  const int exponent = std::max(int(field), 1) - f.bias(), lsb = exponent - f.fraction_bits;
  Number n{Kind::finite, negative, {mpz_class(static_cast<unsigned long>(significand)), lsb}, exponent};
  if (negative) n.value.integer = -n.value.integer;
  if (field != ones) return n;
  if (f.infinities)
    n.kind = fraction == 0 ? Kind::infinite : Kind::nan;
  else if (fraction == (std::uint64_t(1) << f.fraction_bits) - 1)
    n.kind = Kind::nan;
  return n;
}

std::uint64_t round(const Format& f, const Exact& value, Direction direction, Overflow overflow,
                    bool zero_negative) {
  const bool zero = value.integer == 0, negative = zero ? zero_negative : value.integer < 0;
  const std::uint64_t sign = negative ? sign_bit(f) : 0;
  if (zero) return sign;
  const mpz_class magnitude = abs(value.integer);
  const int leading = int(mpz_sizeinbase(magnitude.get_mpz_t(), 2)) - 1 + value.lsb;
  int exponent = std::max(leading, f.min_exponent());
  const int drop = exponent - f.fraction_bits - value.lsb;
  mpz_class kept = shifted(magnitude, -drop);
  const mpz_class rest = drop > 0 ? mpz_class(magnitude - shifted(kept, drop)) : mpz_class(0);
  if (rounds_up(kept, rest, drop, negative, direction)) ++kept;
  const mpz_class hidden = shifted(1, f.fraction_bits);
  if (kept == hidden * 2) kept = hidden, ++exponent;
  if (exponent > f.bias()) {
    const bool stays = overflow == Overflow::ieee && !points_to_infinity(negative, direction);
    return sign | (stays ? infinity(f) - (std::uint64_t(1) << f.unread) : infinity(f));
  }
  const std::uint64_t field = kept < hidden ? 0 : std::uint64_t(exponent + f.bias());
  const mpz_class fraction = kept < hidden ? kept : mpz_class(kept - hidden);
  return sign | (field << f.fraction_bits | fraction.get_ui()) << f.unread;
}

// Khattak and Mikaitis, "Accurate Models of NVIDIA Tensor Cores"; Turing: Xie et al., "MMA-Sim". fp8 of Ada
// is rounded to e8m13 after each block of 16.
std::optional<Parameters> parameters(isa::Architecture architecture, std::string_view input,
                                     std::string_view accumulator) {
  using enum isa::Architecture;
  const bool half = accumulator == "f16", is_f16 = input == "f16", is_tf32 = input == "tf32",
             is_fp8 = input == "e4m3" || input == "e5m2";
  if (half ? !is_f16 : accumulator != "f32") return std::nullopt;
  if (is_fp8 && architecture != ada) return std::nullopt;
  if (is_fp8) return Parameters{16, 13, -132, f32, e8m13, Direction::toward_zero};
  if (!is_f16 && !is_tf32 && input != "bf16") return std::nullopt;
  if (!is_f16 && (architecture == volta || architecture == turing)) return std::nullopt;
  const Format out = half ? f16 : f32;
  const Direction direction = half ? Direction::nearest_even : Direction::toward_zero;
  switch (architecture) {
    case volta: return Parameters{4, 23, half ? -20 : -131, out, out, direction};
    case turing:
    case ampere:
    case ada: return Parameters{is_tf32 ? 4 : 8, 24, half ? -21 : -132, out, out, direction};
    case hopper:
    case blackwell: return Parameters{is_tf32 ? 8 : 16, 25, half ? -22 : -133, out, out, direction};
  }
  return std::nullopt;
}

std::uint64_t block(const Format& a_format, const Format& b_format, const Parameters& p, Words a, Words b,
                    std::uint64_t c) {
  std::vector<Number> x, y;
  for (const auto word : a) x.push_back(decode(a_format, word));
  for (const auto word : b) y.push_back(decode(b_format, word));
  const Number z = decode(p.accumulator, c);
  if (const auto word = special(p.result, x, y, z)) return *word;

  const auto window_exponent = [&](const Exact& v, int raw) {
    return v.integer == 0 ? p.zero_exponent : raw;
  };
  std::vector<Exact> terms{z.value};
  int emax = window_exponent(z.value, z.exponent);
  for (std::size_t k = 0; k < x.size(); ++k) {
    terms.push_back(product(x[k].value, y[k].value));
    emax = std::max(emax, window_exponent(terms.back(), x[k].exponent + y[k].exponent));
  }
  const int unit = emax - p.fraction_bits;
  Exact total{0, unit};
  for (const Exact& term : terms) total.integer += shifted(term.integer, term.lsb - unit);
  return round(p.result, total, p.direction, Overflow::infinity);
}

std::uint64_t fused_multiply_add(const Format& f, std::uint64_t a, std::uint64_t b, std::uint64_t c,
                                 Direction direction) {
  const Number x = decode(f, a), y = decode(f, b), z = decode(f, c);
  const bool negative = x.negative != y.negative;
  if (const auto word = special(f, {&x, 1}, {&y, 1}, z))
    return decode(f, *word).kind == Kind::nan ? infinity(f) | std::uint64_t(1) << (f.fraction_bits - 1)
                                              : *word;
  const Exact p = product(x.value, y.value);
  // A sum that is zero: of two zeros of one sign that sign, else plus, but minus when rounding down.
  const bool zeros_agree = p.integer == 0 && z.value.integer == 0 && negative == z.negative;
  return round(f, sum(p, z.value), direction, Overflow::ieee,
               zeros_agree ? negative : direction == Direction::down);
}

bool knows(const isa::Instruction& i, isa::Architecture architecture) {
  if (!isa::is_float(i.a) || i.a == isa::ElementType::f64) return true;
  return parameters(architecture, isa::name(i.a), isa::name(i.d)).has_value();
}

std::vector<isa::Instruction> covered_rows() {
  std::vector<isa::Instruction> rows;
  for (const auto& i : isa::instructions())
    if (i.is_tensor_core()) rows.push_back(i);
  return rows;
}

std::vector<isa::Instruction> sm_80_rows() {
  auto rows = covered_rows();
  std::erase_if(rows, [](const isa::Instruction& i) { return isa::requirement(i).sm > 80; });
  return rows;
}

isa::Architecture home(const isa::Instruction& i) {
  using enum isa::Architecture;
  for (const auto architecture : {ampere, ada, hopper, blackwell, turing, volta})
    if (knows(i, architecture)) return architecture;
  throw std::logic_error("no architecture is known to compute " + isa::short_name(i));
}

std::uint64_t dot(const isa::Instruction& i, Words a, Words b, std::uint64_t c, const Options& options) {
  if (!isa::is_float(i.a)) return integer_dot(i, a, b, c, options.satfinite);
  if (i.a == isa::ElementType::f64) {
    for (std::size_t k = 0; k < a.size(); ++k) c = fused_multiply_add(f64, a[k], b[k], c, options.direction);
    return c;
  }
  const auto p = parameters(options.architecture, isa::name(i.a), isa::name(i.d)).value();
  for (std::size_t at = 0; at < a.size(); at += std::size_t(p.products)) {
    const std::size_t count = std::min(std::size_t(p.products), a.size() - at);
    c = block(format(isa::name(i.a)), format(isa::name(i.b)), p, a.subspan(at, count), b.subspan(at, count),
              c);
  }
  return c;
}

bool same(isa::ElementType type, std::uint64_t x, std::uint64_t y) {
  if (x == y) return true;
  return type == isa::ElementType::f64 && decode(f64, x).kind == Kind::nan &&
         decode(f64, y).kind == Kind::nan;
}

}  // namespace twofour::oracle
