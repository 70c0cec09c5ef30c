#include "twofour/emu/ptx/constant.h"
#include "twofour/emu/ptx/parser.h"

namespace twofour::emu::ptx::syntax {
namespace {

class Body {
 public:
  Body(Context& context, Function& function) : c_(context), f_(function), outside_(context.names.depth()) {}

  void parse() {
    c_.lexer.expect('{', "or ';' behind the head of a function");
    while (!done_) statement();
  }

 private:
  void statement() {
    const Token t = c_.lexer.peek();
    if (t.kind == Token::Kind::name) return label_or_instruction(t);
    if (t.kind == Token::Kind::directive) return directive(t);
    if (t.is('@')) return parse_instruction(c_, f_, t, {});
    if (c_.lexer.skip('{')) return enter();
    if (c_.lexer.skip('}')) return leave();
    c_.lexer.fail_here(t.kind == Token::Kind::end ? "the body of the function does not end"
                                                  : "expected an instruction, a declaration, '{' or '}'");
  }

  void enter() {
    if (c_.names.depth() - outside_ >= most_scopes)
      c_.lexer.fail_here("more than 256 scopes inside each other");
    c_.names.enter();
    c_.labels.enter();
  }

  /// The scope of the function itself is left by who entered it.
  void leave() {
    done_ = c_.names.depth() == outside_;
    if (done_) return;
    c_.labels.leave(f_);
    c_.names.leave();
  }

  void label_or_instruction(const Token& first) {
    c_.lexer.take();
    if (!c_.lexer.skip(':')) return parse_instruction(c_, f_, first, first);
    c_.count_item();
    if (c_.lexer.skip_directive(".branchtargets")) return branch_targets(first);
    if (c_.lexer.skip_directive(".callprototype")) return prototype(first);
    if (c_.lexer.skip_directive(".calltargets")) return call_targets(first);
    c_.labels.define(first, LabelKind::code, int(f_.code.size()));
    f_.labels.emplace_back(first.text, int(f_.code.size()));
  }

  void branch_targets(const Token& label) {
    const int table = int(f_.branch_targets.size());
    c_.labels.define(label, LabelKind::branch_targets, table);
    auto& targets = f_.branch_targets.emplace_back(label.text, std::vector<int>{}).second;
    do {
      const Token target = c_.lexer.expect(Token::Kind::name, "a label");
      c_.count_item();
      c_.labels.use({Labels::Use::Place::table, LabelKind::code, table, int(targets.size()), target});
      targets.push_back(-1);
    } while (c_.lexer.skip(','));
    c_.lexer.expect(';', "after the labels");
  }

  void prototype(const Token& label) {
    c_.labels.define(label, LabelKind::prototype, 0);
    while (c_.lexer.peek().kind != Token::Kind::end && !c_.lexer.peek().is('{') && !c_.lexer.peek().is(';'))
      c_.lexer.take();
    c_.lexer.expect(';', "after .callprototype");
  }

  void call_targets(const Token& label) {
    c_.labels.define(label, LabelKind::prototype, 0);
    do {
      const Token target = c_.lexer.expect(Token::Kind::name, "a function");
      const Binding* b = c_.names.find(target.text);
      if (!b || b->kind != Binding::Kind::function) c_.lexer.fail_at(target, "the function is not declared");
    } while (c_.lexer.skip(','));
    c_.lexer.expect(';', "after the functions");
  }

  void directive(const Token& t) {
    if (c_.lexer.skip_directive(".reg")) return registers();
    if (skip_ignored(c_)) return;
    const auto space = space_from(t.text);
    if (!space) c_.lexer.fail_here("a directive that bodies of functions do not have");
    c_.lexer.take();
    parse_variables(c_, *space, {}, &f_);
  }

  void registers() {
    const Shape shape = parse_shape(c_);
    do {
      register_or_range(shape);
    } while (c_.lexer.skip(','));
    c_.lexer.expect(';', "after the declaration of registers");
  }

  void register_or_range(const Shape& shape) {
    const Token name = c_.lexer.expect(Token::Kind::name, "the name of a register");
    c_.count_item();
    std::int64_t count = 1;
    bool fresh;
    if (c_.lexer.skip('<')) {
      count = parse_number(c_.lexer, 0, most_registers, "a number of registers");
      c_.lexer.expect('>', "after a number of registers");
      fresh = c_.names.declare_range(name.text, int(count), shape.type, shape.vector);
    } else {
      fresh = c_.names.declare(name.text,
                               {.kind = Binding::Kind::reg, .type = shape.type, .width = shape.vector});
    }
    if (!fresh) c_.lexer.fail_at(name, "the name is declared already in this scope");
    registers_ += count * shape.vector;
    if (registers_ > most_registers)
      c_.lexer.fail_at(name, "the function declares more than 1048576 registers");
  }

  Context& c_;
  Function& f_;
  int outside_;                 ///< depth of the function's scope
  std::int64_t registers_ = 0;  ///< declared
  bool done_ = false;
};

}  // namespace

void parse_body(Context& context, Function& function) {
  Body(context, function).parse();
}

}  // namespace twofour::emu::ptx::syntax
