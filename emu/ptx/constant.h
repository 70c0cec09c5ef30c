#pragma once
// Numbers and the constant expressions of PTX (PTX ISA 9.0, 4.5): 64-bit integers with the operators of C,
// and floating point literals with a sign.
#include <cstdint>
#include <string_view>

#include "twofour/emu/ptx/lexer.h"

namespace twofour::emu::ptx::syntax {

struct Constant {
  bool real = false;
  bool single = false;       ///< real: written as 0f
  bool is_unsigned = false;  ///< integer: U, or too large for 63 bits
  std::uint64_t bits = 0;    ///< of the integer, the double, or (single) the float

  std::int64_t integer() const { return static_cast<std::int64_t>(bits); }
};

/// Whether a constant expression may begin with this token.
bool begins_constant(const Token& token);
/// Takes an expression.
Constant parse_constant(Lexer& lexer);
/// Takes an integer expression with low <= value <= high; `what` is for the message.
std::int64_t parse_integer(Lexer& lexer, std::int64_t low, std::int64_t high, std::string_view what);

/// The same for one number, without operators.
std::int64_t parse_number(Lexer& lexer, std::int64_t low, std::int64_t high, std::string_view what);
/// Takes "+ integer" or "- integer"; 0 if neither stands there.
std::int64_t parse_offset(Lexer& lexer);

}  // namespace twofour::emu::ptx::syntax
