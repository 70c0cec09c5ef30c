#pragma once
// PTX text as tokens, one at a time. Comments and @@DWARF lines are blanks.
#include <cstdint>
#include <string>
#include <string_view>

#include "twofour/emu/ptx/module.h"

namespace twofour::emu::ptx::syntax {

struct Token {
  enum class Kind : std::uint8_t {
    end,        ///< of the text
    name,       ///< foo, %r1, $L__BB0_1, _
    directive,  ///< .reg, .f32, .shared::cta: with its dot, "::" and what follows
    number,     ///< 12, 0x1FU, 0f3F800000, 1.5e-3: from a digit on
    string,     ///< "a.cu", with its quotes
    mark        ///< one of ( ) { } [ ] < > , ; : | @ ! + - * / % ~ & = ? ^ or << >> <= >= == != && ||
  };
  Kind kind = Kind::end;
  std::string_view text = {};
  Location at = {};

  bool is(char mark) const { return kind == Kind::mark && text.size() == 1 && text[0] == mark; }
  bool is(std::string_view mark) const { return kind == Kind::mark && text == mark; }
  bool is_directive(std::string_view name) const { return kind == Kind::directive && text == name; }
};

class Lexer {
 public:
  /// `source` must outlive this and what it returns, and be followed by a zero byte.
  Lexer(std::string_view source, const std::string& file);

  const Token& peek() const { return token_; }
  Token take();
  /// Takes the next token if it is this mark.
  bool skip(char mark);
  /// Takes this mark; fails with "expected X" and `why` if something else stands there.
  void expect(char mark, std::string_view why);
  Token expect(Token::Kind kind, std::string_view what);
  /// Takes the next token if it is this directive.
  bool skip_directive(std::string_view name);

  /// Throws Error "FILE:LINE:COLUMN: message: token".
  [[noreturn]] void fail_at(const Token& token, std::string_view message) const;
  [[noreturn]] void fail_here(std::string_view message) const { fail_at(token_, message); }

 private:
  void advance();
  void skip_blanks();
  void skip_comment();
  void skip_line();
  void take_word();
  void take_directive();
  void take_number();
  void take_string();
  void take_mark();
  void finish(Token::Kind kind, const char* begin);

  const char* p_;
  const char* end_;
  const char* line_begin_;
  int line_ = 1;
  std::string file_;
  Token token_;
};

/// Text for a message: at most 60 bytes, what cannot be printed as ?.
std::string printable(std::string_view text);
/// A statement in one line, at most its first 1000 bytes: each run of blanks and comments is one blank.
std::string one_line(std::string_view text);

}  // namespace twofour::emu::ptx::syntax
