#include <array>

#include "twofour/emu/ptx/constant.h"
#include "twofour/emu/ptx/parser.h"

namespace twofour::emu::ptx::syntax {
namespace {

constexpr std::int64_t most_int = 0x7FFFFFFF;

using Parameters = std::vector<std::pair<Token, Variable>>;

/// ( .param .b32 a, .reg .b64 b ), or nothing.
Parameters parse_parameters(Context& c) {
  Parameters all;
  if (!c.lexer.skip('(') || c.lexer.skip(')')) return all;
  do {
    all.push_back(parse_parameter(c));
  } while (c.lexer.skip(','));
  c.lexer.expect(')', "after the parameters");
  return all;
}

void declare_parameters(Context& c, Parameters parameters, std::vector<Variable>& into, Function& f) {
  for (auto& [name, v] : parameters) {
    const bool reg = v.space == Space::reg;
    Binding binding{.kind = reg ? Binding::Kind::reg : Binding::Kind::variable, .type = v.type};
    binding.spelling = reg ? name.text : c.names.unique(name.text);
    Binding* declared = name.text == "_" ? &binding : c.names.declare(name.text, binding);
    if (!declared) c.lexer.fail_at(name, "the name is declared already in this scope");
    v.name = reg ? f.registers[register_number(c, f, *declared)].name : declared->spelling;
    into.push_back(std::move(v));
  }
}

/// The place of a function of this name in the module; fails if it cannot be declared again.
int place_of(Context& c, const Token& name) {
  const int next = int(c.module.functions.size());
  if (!c.names.declare(name.text, {.kind = Binding::Kind::function, .value = next})) {
    const Binding* before = c.names.find(name.text);
    if (before->kind != Binding::Kind::function || !c.module.functions[before->value].external)
      c.lexer.fail_at(name, "the name is declared already");
    return before->value;
  }
  c.module.functions.push_back({.name = std::string(name.text), .external = true, .at = name.at});
  return next;
}

/// 1 to 3 numbers: .maxntid 128, 2
void parse_sizes(Context& c, int (&sizes)[3]) {
  for (int n = 0; n < 3; ++n) {
    sizes[n] = int(parse_number(c.lexer, 1, most_int, "a number of threads"));
    if (n < 2 && !c.lexer.skip(',')) {
      for (int rest = n + 1; rest < 3; ++rest) sizes[rest] = 1;
      return;
    }
  }
}

void skip_numbers(Context& c) {
  if (c.lexer.peek().kind != Token::Kind::number) return;
  do {
    parse_number(c.lexer, 0, most_int, "the number of a directive");
  } while (c.lexer.skip(','));
}

/// Directives that change nothing here, with the numbers behind them.
bool skip_function_directive(Context& c) {
  static constexpr std::array<std::string_view, 8> ignored = {
      ".noreturn",       ".maxnctapersm",      ".reqnctapercluster", ".explicitcluster",
      ".maxclusterrank", ".blocksareclusters", ".abi_preserve",      ".abi_preserve_control"};
  if (c.lexer.skip_directive(".attribute")) {
    skip_parentheses(c.lexer);
    return true;
  }
  for (const auto name : ignored)
    if (c.lexer.skip_directive(name)) {
      skip_numbers(c);
      return true;
    }
  return skip_ignored(c);
}

void parse_directives(Context& c, LaunchBounds& bounds) {
  while (c.lexer.peek().kind == Token::Kind::directive) {
    if (c.lexer.skip_directive(".maxntid"))
      parse_sizes(c, bounds.max_threads);
    else if (c.lexer.skip_directive(".reqntid"))
      parse_sizes(c, bounds.required_threads);
    else if (c.lexer.skip_directive(".minnctapersm"))
      bounds.min_blocks = int(parse_number(c.lexer, 0, most_int, "a number of CTAs"));
    else if (c.lexer.skip_directive(".maxnreg"))
      bounds.max_registers = int(parse_number(c.lexer, 0, most_int, "a number of registers"));
    else if (!skip_function_directive(c))
      c.lexer.fail_here("a directive that functions do not have");
  }
}

}  // namespace

void parse_function(Context& c, bool entry, const Token& directive) {
  c.count_item();
  Function f;
  f.entry = entry;
  f.at = directive.at;
  while (c.lexer.peek().kind == Token::Kind::directive && skip_function_directive(c)) {
  }
  Parameters results = entry ? Parameters{} : parse_parameters(c);
  const Token name = c.lexer.expect(Token::Kind::name, "the name of a function");
  f.name = name.text;
  const int place = place_of(c, name);

  c.names.enter();
  c.labels.enter();
  declare_parameters(c, std::move(results), f.results, f);
  declare_parameters(c, parse_parameters(c), f.parameters, f);
  parse_directives(c, f.bounds);
  f.external = c.lexer.skip(';');
  if (!f.external) parse_body(c, f);
  c.labels.leave(f);
  c.names.leave();
  c.module.functions[place] = std::move(f);
}

}  // namespace twofour::emu::ptx::syntax
