#include "twofour/emu/ptx/constant.h"

#include <bit>
#include <charconv>

#include "twofour/isa/error.h"

namespace twofour::emu::ptx::syntax {
namespace {

constexpr int deepest = 64;  ///< of parentheses and signs

struct Operator {
  std::string_view text;
  int rank;  ///< binds tighter when higher
};
constexpr Operator operators[] = {{"||", 1}, {"&&", 2}, {"|", 3}, {"^", 4},  {"&", 5},  {"==", 6},
                                  {"!=", 6}, {"<", 7},  {">", 7}, {"<=", 7}, {">=", 7}, {"<<", 8},
                                  {">>", 8}, {"+", 9},  {"-", 9}, {"*", 10}, {"/", 10}, {"%", 10}};

int rank(const Token& token) {
  if (token.kind != Token::Kind::mark) return 0;
  for (const auto& o : operators)
    if (token.text == o.text) return o.rank;
  return 0;
}

Constant signed_value(std::int64_t value) {
  return {.bits = static_cast<std::uint64_t>(value)};
}

class Expression {
 public:
  explicit Expression(Lexer& lexer) : lexer_(lexer) {}

  Constant conditional() {
    const Constant condition = binary(1);
    const Token question = lexer_.peek();
    if (!lexer_.skip('?')) return condition;
    want_integers(question, condition, condition);
    const Depth guard(*this);
    const Constant yes = conditional();
    lexer_.expect(':', "of ? in a constant expression");
    const Constant no = conditional();
    return condition.bits ? yes : no;
  }

  Constant number() { return literal(lexer_.expect(Token::Kind::number, "a number")); }

 private:
  /// Counts how deep the expression is.
  struct Depth {
    explicit Depth(Expression& e) : expression(e) {
      if (++expression.depth_ > deepest)
        expression.lexer_.fail_here("the constant expression is nested too deep; at most 64 levels");
    }
    ~Depth() { --expression.depth_; }
    Depth(const Depth&) = delete;
    Depth& operator=(const Depth&) = delete;
    Expression& expression;
  };

  Constant binary(int lowest) {
    Constant left = unary();
    for (int r; (r = rank(lexer_.peek())) >= lowest;) {
      const Token op = lexer_.take();
      const Constant right = binary(r + 1);
      want_integers(op, left, right);
      left = apply(op, left, right);
    }
    return left;
  }

  void want_integers(const Token& op, const Constant& a, const Constant& b) const {
    if (a.real || b.real) lexer_.fail_at(op, "operators of constants take integers");
  }

  Constant unary() {
    const Token token = lexer_.peek();
    if (token.kind == Token::Kind::number) return literal(lexer_.take());
    const Depth guard(*this);
    if (lexer_.skip('(')) return parenthesis();
    if (lexer_.skip('+')) return unary();
    if (lexer_.skip('-')) return minus(unary());
    if (!token.is('!') && !token.is('~')) lexer_.fail_here("expected a number");
    lexer_.take();
    Constant value = unary();
    want_integers(token, value, value);
    if (token.is('!')) return signed_value(value.bits == 0);
    value.bits = ~value.bits;
    return value;
  }

  Constant parenthesis() {
    const Token cast = lexer_.peek();
    const bool to_signed = lexer_.skip_directive(".s64"),
               to_unsigned = !to_signed && lexer_.skip_directive(".u64");
    if (!to_signed && !to_unsigned) {
      const Constant inside = conditional();
      lexer_.expect(')', "after a constant expression");
      return inside;
    }
    lexer_.expect(')', "after the type of a cast");
    Constant value = unary();
    want_integers(cast, value, value);
    value.is_unsigned = to_unsigned;
    return value;
  }

  static Constant minus(Constant value) {
    if (value.real)
      value.bits ^= std::uint64_t{1} << (value.single ? 31 : 63);
    else
      value.bits = 0 - value.bits;
    return value;
  }

  Constant apply(const Token& op, Constant a, Constant b) const;
  Constant divide(const Token& op, Constant a, Constant b, bool wrap) const;
  Constant shift(const Token& op, Constant a, Constant b) const;
  Constant literal(const Token& token) const;
  Constant bits_of_real(const Token& token, bool single) const;

  Lexer& lexer_;
  int depth_ = 0;
};

Constant Expression::apply(const Token& op, Constant a, Constant b) const {
  const bool wrap = a.is_unsigned || b.is_unsigned;
  const auto value = [&](std::uint64_t bits) { return Constant{.is_unsigned = wrap, .bits = bits}; };
  const auto less = [&](Constant x, Constant y) {
    return wrap ? x.bits < y.bits : x.integer() < y.integer();
  };
  const std::string_view o = op.text;
  if (o == "||") return signed_value(a.bits || b.bits);
  if (o == "&&") return signed_value(a.bits && b.bits);
  if (o == "==") return signed_value(a.bits == b.bits);
  if (o == "!=") return signed_value(a.bits != b.bits);
  if (o == "<") return signed_value(less(a, b));
  if (o == ">") return signed_value(less(b, a));
  if (o == "<=") return signed_value(!less(b, a));
  if (o == ">=") return signed_value(!less(a, b));
  if (o == "|") return value(a.bits | b.bits);
  if (o == "^") return value(a.bits ^ b.bits);
  if (o == "&") return value(a.bits & b.bits);
  if (o == "+") return value(a.bits + b.bits);
  if (o == "-") return value(a.bits - b.bits);
  if (o == "*") return value(a.bits * b.bits);
  return o == "<<" || o == ">>" ? shift(op, a, b) : divide(op, a, b, wrap);
}

Constant Expression::shift(const Token& op, Constant a, Constant b) const {
  if (b.bits > 63) lexer_.fail_at(op, "a constant is shifted by 0 to 63 bits");
  if (op.text == "<<")
    a.bits <<= b.bits;
  else
    a.bits = a.is_unsigned ? a.bits >> b.bits : static_cast<std::uint64_t>(a.integer() >> b.bits);
  return a;
}

Constant Expression::divide(const Token& op, Constant a, Constant b, bool wrap) const {
  if (b.bits == 0) lexer_.fail_at(op, "division by zero in a constant expression");
  const bool quotient = op.text == "/";
  if (wrap) return {.is_unsigned = true, .bits = quotient ? a.bits / b.bits : a.bits % b.bits};
  if (b.integer() == -1) return signed_value(quotient ? static_cast<std::int64_t>(0 - a.bits) : 0);
  return signed_value(quotient ? a.integer() / b.integer() : a.integer() % b.integer());
}

Constant Expression::bits_of_real(const Token& token, bool single) const {
  const std::string_view digits = token.text.substr(2);
  Constant value{.real = true, .single = single};
  const auto [stop, error] = std::from_chars(digits.begin(), digits.end(), value.bits, 16);
  if (error != std::errc() || stop != digits.end() || digits.size() != (single ? 8 : 16))
    lexer_.fail_at(token, single ? "0f wants 8 hexadecimal digits" : "0d wants 16 hexadecimal digits");
  return value;
}

Constant Expression::literal(const Token& token) const {
  std::string_view text = token.text;
  const char kind = text.size() > 1 && text[0] == '0' ? static_cast<char>(text[1] | 0x20) : ' ';
  if (kind == 'f' || kind == 'd') return bits_of_real(token, kind == 'f');
  if (kind != 'x' && text.find_first_of(".eE") != text.npos) {
    double value = 0;
    const auto [stop, error] = std::from_chars(text.begin(), text.end(), value);
    if (error != std::errc() || stop != text.end()) lexer_.fail_at(token, "not a number");
    return {.real = true, .bits = std::bit_cast<std::uint64_t>(value)};
  }
  Constant value;
  if (text.back() == 'U') {
    value.is_unsigned = true;
    text.remove_suffix(1);
  }
  const int base = kind == 'x' ? 16 : kind == 'b' ? 2 : text.size() > 1 && text[0] == '0' ? 8 : 10;
  if (kind == 'x' || kind == 'b') text.remove_prefix(2);
  const auto [stop, error] = std::from_chars(text.begin(), text.end(), value.bits, base);
  if (error == std::errc::result_out_of_range) lexer_.fail_at(token, "the number has more than 64 bits");
  if (error != std::errc() || stop != text.end()) lexer_.fail_at(token, "not a number");
  value.is_unsigned = value.is_unsigned || value.bits >> 63;
  return value;
}

std::int64_t in_range(const Lexer& lexer, const Token& first, const Constant& value, std::int64_t low,
                      std::int64_t high, std::string_view what) {
  const bool fits = !value.real && !(value.is_unsigned && value.integer() < 0);
  if (!fits || value.integer() < low || value.integer() > high)
    lexer.fail_at(first, fmt::format("{} must be an integer from {} to {}", what, low, high));
  return value.integer();
}

}  // namespace

bool begins_constant(const Token& token) {
  return token.kind == Token::Kind::number || token.is('-') || token.is('+') || token.is('(') ||
         token.is('~') || token.is('!');
}

Constant parse_constant(Lexer& lexer) {
  return Expression(lexer).conditional();
}

std::int64_t parse_integer(Lexer& lexer, std::int64_t low, std::int64_t high, std::string_view what) {
  const Token first = lexer.peek();
  return in_range(lexer, first, parse_constant(lexer), low, high, what);
}

std::int64_t parse_number(Lexer& lexer, std::int64_t low, std::int64_t high, std::string_view what) {
  const Token first = lexer.peek();
  return in_range(lexer, first, Expression(lexer).number(), low, high, what);
}

std::int64_t parse_offset(Lexer& lexer) {
  if (!lexer.skip('+') && !lexer.peek().is('-')) return 0;
  const Token first = lexer.peek();
  const Constant value = parse_constant(lexer);
  if (value.real) lexer.fail_at(first, "an offset is an integer");
  return value.integer();
}

}  // namespace twofour::emu::ptx::syntax
