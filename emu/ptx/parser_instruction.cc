#include <array>
#include <iterator>

#include "twofour/emu/ptx/parser.h"

namespace twofour::emu::ptx::syntax {
namespace {

class Statement {
 public:
  Statement(Context& context, Function& function)
      : c_(context), f_(function), index_(int(function.code.size())) {}

  void parse(const Token& first, Token opcode) {
    c_.count_item();
    instruction_.at = first.at;
    if (opcode.text.empty()) {
      parse_guard(c_, f_, instruction_);
      opcode = c_.lexer.expect(Token::Kind::name, "an instruction behind the predicate");
    }
    instruction_.opcode = opcode.text;
    modifiers();
    if (instruction_.opcode == "call")
      call();
    else
      operands();
    if (!c_.lexer.peek().is(';')) c_.lexer.fail_here("expected ',' or ';' after an operand");
    const char* begin = first.text.data();
    instruction_.text = one_line({begin, std::size_t(c_.lexer.peek().text.data() - begin)});
    f_.code.push_back(std::move(instruction_));
    c_.lexer.take();
  }

 private:
  void modifiers() {
    std::array<std::string_view, most_modifiers> all;
    std::size_t count = 0;
    while (c_.lexer.peek().kind == Token::Kind::directive) {
      if (count == all.size()) c_.lexer.fail_here("an instruction has at most 24 modifiers");
      all[count++] = c_.lexer.take().text.substr(1);
    }
    instruction_.modifiers.assign(all.begin(), all.begin() + std::ptrdiff_t(count));
  }

  void operands() {
    auto& all = instruction_.operands;
    const bool bra = instruction_.opcode == "bra", brx = instruction_.opcode == "brx";
    if (c_.lexer.peek().is(';')) return;
    all.reserve(4);
    do {
      if (bra || (brx && all.size() == 1))
        all.push_back(label(bra ? LabelKind::code : LabelKind::branch_targets, int(all.size())));
      else
        all.push_back(parse_operand(c_, f_));
    } while (c_.lexer.skip(','));
  }

  Operand label(LabelKind wanted, int operand) {
    c_.count_item();
    const Token name = c_.lexer.expect(Token::Kind::name, "a label");
    c_.labels.use({Labels::Use::Place::operand, wanted, index_, operand, name});
    return {.kind = Operand::Kind::label, .symbol = std::string(name.text), .at = name.at};
  }

  /// call (results), function, (arguments), prototype
  void call() {
    Call call;
    call.uniform = instruction_.has("uni");
    if (c_.lexer.peek().is('(')) {
      call.results = list();
      c_.lexer.expect(',', "between the results and the function");
    }
    callee(call);
    bool more = c_.lexer.skip(',');
    if (more && c_.lexer.peek().is('(')) {
      call.arguments = list();
      more = c_.lexer.skip(',');
    }
    if (more) prototype(call);
    if (call.target_register >= 0 && call.prototype.empty())
      c_.lexer.fail_here("a call through a register names its .callprototype or .calltargets");
    f_.calls.emplace_back(index_, std::move(call));
  }

  void callee(Call& call) {
    const Token name = c_.lexer.expect(Token::Kind::name, "a function or register");
    Binding* b = c_.names.find(name.text);
    if (!b) c_.lexer.fail_at(name, "the function is not declared");
    if (b->kind == Binding::Kind::function)
      call.function = b->spelling;
    else if (b->kind == Binding::Kind::reg && b->width == 1)
      call.target_register = register_number(c_, f_, *b);
    else
      c_.lexer.fail_at(name, "expected a function or register");
  }

  void prototype(Call& call) {
    const Token name = c_.lexer.expect(Token::Kind::name, "a label of .callprototype or .calltargets");
    c_.labels.use({Labels::Use::Place::call, LabelKind::prototype, 0, 0, name});
    call.prototype = name.text;
  }

  std::vector<Operand> list() {
    std::vector<Operand> all;
    c_.lexer.expect('(', "before the arguments");
    if (c_.lexer.skip(')')) return all;
    do {
      all.push_back(parse_operand(c_, f_));
    } while (c_.lexer.skip(','));
    c_.lexer.expect(')', "or ',' after an argument");
    return all;
  }

  Context& c_;
  Function& f_;
  int index_;  ///< in the code
  Instruction instruction_;
};

}  // namespace

void parse_guard(Context& c, Function& f, Instruction& instruction) {
  c.lexer.expect('@', "before a predicate");
  instruction.predicate_negated = c.lexer.skip('!');
  const Token name = c.lexer.expect(Token::Kind::name, "a predicate register behind @");
  Binding* b = c.names.find(name.text);
  if (!b) c.lexer.fail_at(name, "the register is not declared");
  if (b->kind != Binding::Kind::reg || b->type != Type::pred || b->width != 1)
    c.lexer.fail_at(name, "expected a predicate register behind @");
  instruction.predicate = register_number(c, f, *b);
}

void parse_instruction(Context& context, Function& function, const Token& first, const Token& opcode) {
  Statement(context, function).parse(first, opcode);
}

}  // namespace twofour::emu::ptx::syntax
