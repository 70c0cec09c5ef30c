#include "twofour/emu/ptx/constant.h"
#include "twofour/emu/ptx/parser.h"
#include "twofour/emu/ptx/specials.h"

namespace twofour::emu::ptx::syntax {
namespace {

constexpr std::string_view components[] = {".x", ".y", ".z", ".w"}, colours[] = {".r", ".g", ".b", ".a"};

/// 0 .. width - 1 of .x, .y, ...; -1 if another token stands there.
int component(Lexer& lexer, int width) {
  for (int n = 0; n < width && n < 4; ++n)
    if (lexer.skip_directive(components[n]) || lexer.skip_directive(colours[n])) return n;
  return -1;
}

class Operands {
 public:
  Operands(Context& context, Function& function) : c_(context), f_(function) {}

  Operand any() {
    const Token t = c_.lexer.peek();
    if (t.is('[')) return address();
    if (t.is('{')) return vector();
    Operand first = simple();
    if (!c_.lexer.skip('|')) return first;
    Operand both{.kind = Operand::Kind::vector, .pair = true, .at = first.at};
    both.parts.push_back(std::move(first));
    both.parts.push_back(simple());
    return both;
  }

 private:
  Operand simple() {
    const Token t = c_.lexer.peek();
    c_.count_item();
    if (t.kind == Token::Kind::name) return named();
    if (t.is('!')) return complement();
    if (begins_constant(t)) return number(t.at, parse_constant(c_.lexer));
    c_.lexer.fail_here("expected an operand");
  }

  static Operand number(Location at, const Constant& value) {
    Operand o{.at = at};
    o.kind = value.real ? Operand::Kind::real : Operand::Kind::integer;
    if (value.real)
      o.bits64 = value.bits;
    else
      o.integer = value.integer();
    o.single = value.single;
    return o;
  }

  Operand complement() {
    const Token mark = c_.lexer.take();
    if (begins_constant(c_.lexer.peek())) {
      const Constant value = parse_constant(c_.lexer);
      return {.kind = Operand::Kind::integer, .integer = value.bits == 0, .at = mark.at};
    }
    const Token name = c_.lexer.peek();
    Operand o = named();
    if (o.kind != Operand::Kind::reg) c_.lexer.fail_at(name, "only a register has a complement");
    o.negated = true;
    o.at = mark.at;
    return o;
  }

  Operand named() {
    const Token t = c_.lexer.expect(Token::Kind::name, "a register");
    if (t.text == "_") return {.at = t.at};
    if (t.text == "WARP_SZ") return {.kind = Operand::Kind::integer, .integer = 32, .at = t.at};
    Binding* b = c_.names.find(t.text);
    if (!b) c_.lexer.fail_at(t, "the name is not declared");
    switch (b->kind) {
      case Binding::Kind::reg: return reg(t, *b);
      case Binding::Kind::special: return special(t, *b);
      case Binding::Kind::label: c_.lexer.fail_at(t, "a label cannot be an operand here");
      case Binding::Kind::variable:
      case Binding::Kind::function: break;
    }
    Operand o{.kind = Operand::Kind::symbol, .symbol = std::string(b->spelling), .at = t.at};
    o.offset = parse_offset(c_.lexer);
    return o;
  }

  /// A register, one of a vector register, or all of these as a vector.
  Operand reg(const Token& t, Binding& b) {
    const int number = register_number(c_, f_, b), width = b.width;
    Operand o{.kind = Operand::Kind::reg, .reg = number, .at = t.at};
    if (width == 1) return o;
    if (const int n = component(c_.lexer, width); n >= 0) {
      o.reg += n;
      return o;
    }
    Operand all{.kind = Operand::Kind::vector, .at = t.at};
    for (int n = 0; n < width; ++n, ++o.reg) all.parts.push_back(o);
    return all;
  }

  Operand special(const Token& t, const Binding& b) {
    Operand o{.kind = Operand::Kind::special, .special = Special(b.value), .integer = b.detail, .at = t.at};
    if (!has_components(o.special)) return o;
    const int n = component(c_.lexer, 3);
    if (n < 0) c_.lexer.fail_here("expected .x, .y or .z of the special register");
    o.special = Special(b.value + n);
    return o;
  }

  Operand vector() {
    Operand all{.kind = Operand::Kind::vector, .at = c_.lexer.take().at};
    if (c_.lexer.skip('}')) return all;
    do {
      all.parts.push_back(simple());
    } while (c_.lexer.skip(','));
    c_.lexer.expect('}', "or ',' in a vector");
    return all;
  }

  /// [base], [base + offset], [offset], and [base, {x, y}] of textures and tensor maps.
  Operand address() {
    const Token bracket = c_.lexer.take();
    const Token first = c_.lexer.peek();
    Operand base = simple();
    const bool known = base.kind == Operand::Kind::reg || base.kind == Operand::Kind::symbol ||
                       base.kind == Operand::Kind::integer;
    if (!known || base.negated)
      c_.lexer.fail_at(first, "the base of an address is a register, a variable or an integer");
    base.offset += base.kind == Operand::Kind::reg ? parse_offset(c_.lexer) : base.integer;
    base.integer = 0;
    base.kind = Operand::Kind::address;
    base.at = bracket.at;
    while (c_.lexer.skip(',')) base.parts.push_back(c_.lexer.peek().is('{') ? vector() : simple());
    c_.lexer.expect(']', "after an address");
    return base;
  }

  Context& c_;
  Function& f_;
};

}  // namespace

int register_number(Context& context, Function& function, Binding& binding) {
  if (binding.value >= 0) return binding.value;
  binding.value = int(function.registers.size());
  const std::string name(context.names.unique(binding.spelling));
  for (int n = 0; n < binding.width; ++n)
    function.registers.push_back(
        {binding.width == 1 ? name : name + std::string(components[n % 4]), binding.type});
  return binding.value;
}

Operand parse_operand(Context& context, Function& function) {
  return Operands(context, function).any();
}

}  // namespace twofour::emu::ptx::syntax
