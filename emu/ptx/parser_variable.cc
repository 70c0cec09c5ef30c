#include <algorithm>
#include <bit>

#include "twofour/emu/ptx/constant.h"
#include "twofour/emu/ptx/parser.h"
#include "twofour/isa/error.h"

namespace twofour::emu::ptx::syntax {
namespace {

int vector_from(std::string_view directive) {
  if (directive == ".v2") return 2;
  if (directive == ".v4") return 4;
  return directive == ".v8" ? 8 : 0;
}

int parse_align(Context& c) {
  const Token first = c.lexer.peek();
  const std::int64_t align = parse_number(c.lexer, 1, 1 << 16, "an alignment");
  if (!std::has_single_bit(std::uint64_t(align))) c.lexer.fail_at(first, "an alignment is a power of two");
  return int(align);
}

/// One directive of a shape.
void parse_shape_part(Context& c, Shape& shape, bool& typed) {
  const Token t = c.lexer.peek();
  if (t.text == ".texref" || t.text == ".samplerref" || t.text == ".surfref")
    c.lexer.fail_here("texture, sampler and surface references are not supported; use objects");
  c.lexer.take();
  if (t.text == ".align") {
    const int align = parse_align(c);
    if (!shape.pointer) shape.align = align;  // behind .ptr it is what the pointer points to
  } else if (t.text == ".ptr") {
    shape.pointer = true;
  } else if (t.text == ".attribute") {
    skip_parentheses(c.lexer);
  } else if (const int vector = vector_from(t.text)) {
    shape.vector = vector;
  } else if (shape.pointer && space_from(t.text)) {
    return;  // where it points to
  } else if (const auto type = type_from(t.text.substr(1)); type && !typed) {
    shape.type = *type;
    typed = true;
  } else {
    c.lexer.fail_at(t, typed ? "expected a name" : "expected a type");
  }
}

/// [2][3], [] first: -1.
std::vector<std::int64_t> parse_dimensions(Context& c) {
  std::vector<std::int64_t> dimensions;
  while (c.lexer.peek().is('[')) {
    c.lexer.take();
    if (dimensions.empty() && c.lexer.skip(']')) {
      dimensions.push_back(-1);
      continue;
    }
    dimensions.push_back(parse_integer(c.lexer, 0, most_variable_bytes, "the size of an array"));
    c.lexer.expect(']', "after the size of an array");
    if (dimensions.size() > 16) c.lexer.fail_here("an array has at most 16 dimensions");
  }
  return dimensions;
}

/// 0 for an unsized array.
std::int64_t size_of(Context& c, const Token& name, const Shape& shape,
                     const std::vector<std::int64_t>& dimensions) {
  std::int64_t bytes = shape.element_bytes() * shape.vector;
  bool empty = false;
  for (const std::int64_t d : dimensions) {
    empty = empty || d <= 0;
    const std::int64_t factor = std::max<std::int64_t>(d, 1);
    if (bytes > most_variable_bytes / factor) c.lexer.fail_at(name, "the variable is larger than 2^40 bytes");
    bytes *= factor;
  }
  return empty ? 0 : bytes;
}

Variable make_variable(Context& c, Space space, const Shape& shape, const Token& name,
                       const std::vector<std::int64_t>& dimensions) {
  c.count_item();
  if (shape.type == Type::pred) c.lexer.fail_at(name, "a predicate is a register, not a variable");
  Variable v;
  v.space = space;
  v.name = name.text;
  v.type = shape.type;
  v.align = shape.align ? shape.align : shape.element_bytes() * shape.vector;
  v.bytes = size_of(c, name, shape, dimensions);
  v.pointer = shape.pointer;
  v.at = name.at;
  return v;
}

void parse_initial_value(Context& c, const Shape& shape, std::vector<std::int64_t> dimensions, Variable& v) {
  const Token equals = c.lexer.peek();
  if (!c.lexer.skip('=')) return;
  if ((v.space != Space::global && v.space != Space::constant) || v.external)
    c.lexer.fail_at(equals, "only .global and .const variables that are defined here have initial values");
  if (shape.vector > 1) dimensions.push_back(shape.vector);
  parse_initial(c, dimensions, v);
}

/// A variable of the module that is declared again: allowed if one of the two is .extern.
void add_again(Context& c, const Token& name, Binding* before, Variable v) {
  const bool variable = before && before->kind == Binding::Kind::variable && before->depth == 0;
  if (!variable) c.lexer.fail_at(name, "the name is declared already");
  Variable& old = c.module.variables[before->value];
  if (old.space != v.space || (!old.external && !v.external))
    c.lexer.fail_at(name, "the variable is declared already");
  if (old.external) old = std::move(v);
}

void add_to_module(Context& c, const Token& name, Variable v) {
  const Binding binding{.kind = Binding::Kind::variable, .value = int(c.module.variables.size())};
  if (!c.names.declare(name.text, binding)) return add_again(c, name, c.names.find(name.text), std::move(v));
  c.module.variables.push_back(std::move(v));
}

/// A .global or .const of a body is the module's under a name that no other has.
void add_to_function(Context& c, const Token& name, Variable v, Function& f) {
  const bool of_module = v.space == Space::global || v.space == Space::constant;
  std::string_view spelling = c.names.unique(name.text);
  if (of_module) spelling = c.names.keep(fmt::format("{}#{}", spelling, f.name));
  if (!c.names.declare(name.text, {.kind = Binding::Kind::variable, .spelling = spelling}))
    c.lexer.fail_at(name, "the name is declared already in this scope");
  v.name = spelling;
  (of_module ? c.module.variables : f.variables).push_back(std::move(v));
}

}  // namespace

std::optional<Space> space_from(std::string_view directive) {
  if (directive == ".global") return Space::global;
  if (directive == ".const") return Space::constant;
  if (directive == ".shared") return Space::shared;
  if (directive == ".local") return Space::local;
  if (directive == ".param") return Space::param;
  return std::nullopt;
}

Shape parse_shape(Context& c) {
  Shape shape;
  bool typed = false;
  while (c.lexer.peek().kind == Token::Kind::directive) parse_shape_part(c, shape, typed);
  if (!typed) c.lexer.fail_here("expected a type");
  return shape;
}

void parse_variables(Context& c, Space space, Linkage linkage, Function* function) {
  const Shape shape = parse_shape(c);
  do {
    const Token name = c.lexer.expect(Token::Kind::name, "the name of a variable");
    const auto dimensions = parse_dimensions(c);
    Variable v = make_variable(c, space, shape, name, dimensions);
    v.external = linkage.external;
    v.visible = linkage.visible;
    parse_initial_value(c, shape, dimensions, v);
    if (!dimensions.empty() && dimensions[0] < 0 && v.bytes == 0 && !v.external)
      c.lexer.fail_at(name, "an array without a size is .extern or has initial values");
    function ? add_to_function(c, name, std::move(v), *function) : add_to_module(c, name, std::move(v));
  } while (c.lexer.skip(','));
  c.lexer.expect(';', "after the declaration of a variable");
}

std::pair<Token, Variable> parse_parameter(Context& c) {
  const Token space = c.lexer.peek();
  if (!c.lexer.skip_directive(".param") && !c.lexer.skip_directive(".reg"))
    c.lexer.fail_here("expected .param or .reg");
  const Shape shape = parse_shape(c);
  const Token name = c.lexer.expect(Token::Kind::name, "the name of a parameter");
  const bool reg = space.text == ".reg";
  if (!reg || shape.type != Type::pred)
    return {name, make_variable(c, reg ? Space::reg : Space::param, shape, name, parse_dimensions(c))};
  Variable v{.space = Space::reg, .name = std::string(name.text), .type = Type::pred, .at = name.at};
  return {name, std::move(v)};
}

}  // namespace twofour::emu::ptx::syntax
