#pragma once
// The parser, in parts: each reads one construct from the lexer and adds to the tree.
#include <string>
#include <utility>
#include <vector>

#include "twofour/emu/ptx/labels.h"
#include "twofour/emu/ptx/lexer.h"
#include "twofour/emu/ptx/module.h"
#include "twofour/emu/ptx/names.h"

namespace twofour::emu::ptx::syntax {

constexpr std::int64_t most_text_bytes = std::int64_t{1} << 26;
constexpr std::int64_t most_items = std::int64_t{1} << 23;
constexpr std::int64_t most_registers = std::int64_t{1} << 20;
constexpr std::int64_t most_variable_bytes = std::int64_t{1} << 40;
constexpr std::int64_t most_initial_bytes = std::int64_t{1} << 28;
constexpr int most_scopes = 256;
constexpr int most_modifiers = 24;

/// What all parts share.
struct Context {
  Context(std::string_view source, const std::string& file) : lexer(source, file), labels(lexer, names) {}

  Lexer lexer;
  Module module;
  Names names;
  Labels labels;
  std::int64_t items = 0;          ///< instructions, operands and names
  std::int64_t initial_bytes = 0;  ///< of all variables

  /// One more instruction, operand or name: what the tree's size is bounded by.
  void count_item() {
    if (++items > most_items)
      lexer.fail_here("the text has more than 8388608 instructions, operands and names; split it");
  }
};

struct Linkage {
  bool external = false, visible = false;
};

/// How a variable was declared, before its name.
struct Shape {
  Type type = Type::b8;
  int vector = 1;  ///< 2, 4 or 8 of .v2, .v4, .v8
  int align = 0;   ///< 0: natural
  bool pointer = false;

  int element_bytes() const { return bits(type) / 8; }
};
/// .align, vector, type, .ptr and .attribute in any order.
Shape parse_shape(Context& context);

/// The rest of a declaration behind its space, to the semicolon: of the module, or of `function` if it is
/// given.
void parse_variables(Context& context, Space space, Linkage linkage, Function* function);
/// A parameter and the token of its name; not declared yet.
std::pair<Token, Variable> parse_parameter(Context& context);
/// The space that a directive names, or nullopt.
std::optional<Space> space_from(std::string_view directive);

/// What follows = in a declaration. The sizes of the dimensions, -1 for an empty first one, vectors as the
/// last.
void parse_initial(Context& context, const std::vector<std::int64_t>& dimensions, Variable& variable);

/// Behind .entry or .func.
void parse_function(Context& context, bool entry, const Token& directive);
/// { ... } of a function.
void parse_body(Context& context, Function& function);

/// One instruction from its guard or opcode to its semicolon. `first` begins the statement; `opcode` is
/// taken.
void parse_instruction(Context& context, Function& function, const Token& first, const Token& opcode);
/// @p or @!p
void parse_guard(Context& context, Function& function, Instruction& instruction);
Operand parse_operand(Context& context, Function& function);
/// The number of a register that is mentioned.
int register_number(Context& context, Function& function, Binding& binding);

/// .file, .loc, .section and .pragma: takes and forgets them. False if another directive stands there.
bool skip_ignored(Context& context);
/// From ( to the matching ).
void skip_parentheses(Lexer& lexer);

}  // namespace twofour::emu::ptx::syntax
