#include "twofour/emu/ptx/lexer.h"

#include <algorithm>
#include <array>

#include "twofour/isa/error.h"

namespace twofour::emu::ptx::syntax {
namespace {

constexpr std::size_t most_statement_bytes = 1000;

enum Class : std::uint8_t { other = 0, letter = 1, digit = 2, sigil = 4, blank = 8 };

constexpr std::array<std::uint8_t, 256> classes = [] {
  std::array<std::uint8_t, 256> c{};
  for (int n = 'a'; n <= 'z'; ++n) c[n] = c[n - 'a' + 'A'] = letter;
  for (int n = '0'; n <= '9'; ++n) c[n] = digit;
  for (char n : {'_', '$', '%'}) c[n] = sigil;
  for (char n : {' ', '\t', '\r', '\n', '\f', '\v'}) c[n] = blank;
  return c;
}();

bool is(char c, int wanted) {
  return (classes[static_cast<unsigned char>(c)] & wanted) != 0;
}
/// What may follow the first character of a name.
bool in_word(char c) {
  return is(c, letter | digit) || c == '_' || c == '$';
}

}  // namespace

Lexer::Lexer(std::string_view source, const std::string& file)
    : p_(source.data()), end_(p_ + source.size()), line_begin_(p_), file_(file) {
  advance();
}

Token Lexer::take() {
  const Token taken = token_;
  advance();
  return taken;
}

bool Lexer::skip(char mark) {
  if (!token_.is(mark)) return false;
  advance();
  return true;
}

bool Lexer::skip_directive(std::string_view name) {
  if (!token_.is_directive(name)) return false;
  advance();
  return true;
}

void Lexer::expect(char mark, std::string_view why) {
  if (!skip(mark)) fail_here(fmt::format("expected '{}' {}", mark, why));
}

Token Lexer::expect(Token::Kind kind, std::string_view what) {
  if (token_.kind != kind) fail_here(fmt::format("expected {}", what));
  return take();
}

void Lexer::fail_at(const Token& token, std::string_view message) const {
  const std::string text = token.kind == Token::Kind::end ? "end of the text" : printable(token.text);
  fail("{}:{}:{}: {}: {}", file_, token.at.line, token.at.column, message, text);
}

void Lexer::finish(Token::Kind kind, const char* begin) {
  token_.kind = kind;
  token_.text = {begin, std::size_t(p_ - begin)};
}

void Lexer::advance() {
  skip_blanks();
  token_.at = {line_, int(p_ - line_begin_) + 1};
  const char c = *p_;
  if (is(c, letter | sigil)) return take_word();
  if (is(c, digit)) return take_number();
  if (p_ == end_) return finish(Token::Kind::end, p_);
  if (c == '.') return take_directive();
  if (c == '"') return take_string();
  take_mark();
}

void Lexer::skip_blanks() {
  for (;; ++p_) {
    if (*p_ == '\n') {
      ++line_;
      line_begin_ = p_ + 1;
    } else if (is(*p_, blank)) {
      continue;
    } else if (p_[0] == '/' && p_[1] == '/') {
      skip_line();
    } else if (p_[0] == '/' && p_[1] == '*') {
      skip_comment();
    } else if (p_[0] == '@' && p_[1] == '@') {
      skip_line();
    } else {
      return;
    }
  }
}

/// To the last character before the end of the line.
void Lexer::skip_line() {
  while (p_ + 1 < end_ && p_[1] != '\n') ++p_;
}

/// To the last character of the comment.
void Lexer::skip_comment() {
  const Token begin{Token::Kind::mark, {p_, 2}, {line_, int(p_ - line_begin_) + 1}};
  for (p_ += 2; p_ < end_; ++p_) {
    if (p_[0] == '*' && p_[1] == '/') {
      ++p_;
      return;
    }
    if (*p_ == '\n') {
      ++line_;
      line_begin_ = p_ + 1;
    }
  }
  fail_at(begin, "the comment does not end");
}

void Lexer::take_word() {
  const char* begin = p_++;
  while (in_word(*p_)) ++p_;
  const bool modulo = *begin == '%' && p_ == begin + 1;
  finish(modulo ? Token::Kind::mark : Token::Kind::name, begin);
}

void Lexer::take_directive() {
  const char* begin = p_++;
  while (in_word(*p_) || (p_[0] == ':' && p_[1] == ':' && in_word(p_[2]))) p_ += *p_ == ':' ? 2 : 1;
  finish(Token::Kind::directive, begin);
  if (token_.text.size() == 1) fail_here("expected a name after the dot");
}

void Lexer::take_number() {
  const char* begin = p_;
  const bool based = p_[0] == '0' && is(p_[1], letter) && p_[1] != 'e' && p_[1] != 'E';
  for (; is(*p_, letter | digit) || (*p_ == '.' && !based); ++p_) {
    const bool exponent = !based && (*p_ == 'e' || *p_ == 'E') && (p_[1] == '+' || p_[1] == '-');
    if (exponent) ++p_;
  }
  finish(Token::Kind::number, begin);
}

void Lexer::take_string() {
  const char* begin = p_++;
  while (p_ < end_ && *p_ != '"' && *p_ != '\n') ++p_;
  const bool closed = *p_ == '"';
  if (closed) ++p_;
  finish(Token::Kind::string, begin);
  if (!closed) fail_here("the string does not end");
}

void Lexer::take_mark() {
  static constexpr std::string_view singles = "(){}[]<>,;:|@!+-*/~&=?^";
  const char* begin = p_++;
  const std::string_view two(begin, begin + 1 < end_ ? 2 : 1);
  for (const char* pair : {"<<", ">>", "<=", ">=", "==", "!=", "&&", "||"})
    if (two == pair) {
      ++p_;
      break;
    }
  finish(Token::Kind::mark, begin);
  if (singles.find(*begin) == singles.npos) fail_here("a character that PTX does not have here");
}

std::string printable(std::string_view text) {
  std::string out(text.substr(0, 60));
  for (char& c : out)
    if (c < ' ' || c > '~') c = '?';
  return text.size() > 60 ? out + "..." : out;
}

std::string one_line(std::string_view text) {
  std::string out;
  out.reserve(std::min(text.size(), most_statement_bytes));
  bool gap = false;
  for (std::size_t n = 0; n < text.size(); ++n) {
    if (is(text[n], blank)) {
      gap = true;
      continue;
    }
    if (text[n] == '/' && n + 1 < text.size() && (text[n + 1] == '/' || text[n + 1] == '*')) {
      const bool line = text[n + 1] == '/';
      const std::size_t close = line ? text.find('\n', n) : text.find("*/", n + 2);
      n = std::min(close, text.size() - 1) + (line ? 0 : 1);
      gap = true;
      continue;
    }
    if (gap && !out.empty()) out += ' ';
    gap = false;
    if (out.size() >= most_statement_bytes) return out + "...";
    out += text[n];
  }
  return out;
}

}  // namespace twofour::emu::ptx::syntax
