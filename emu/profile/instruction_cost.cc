#include "twofour/emu/profile/instruction_cost.h"

#include <algorithm>
#include <string_view>

#include "twofour/emu/ptx/observer.h"
#include "twofour/isa/error.h"

namespace twofour::emu::profile {
namespace {

using ptx::Instruction;
using ptx::Operand;
using ptx::Type;

constexpr int special_rate = 16, packed_half_rate = 128;  // lanes of an SM

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& list) {
  return std::find(list.begin(), list.end(), word) != list.end();
}
template <class... Words>
bool is_any(std::string_view word, Words... words) {
  return ((word == words) || ...);
}

bool is_half(Type t) {
  return t == Type::f16 || t == Type::f16x2 || t == Type::bf16 || t == Type::bf16x2;
}
bool is_real(Type t) {
  return is_half(t) || t == Type::f32 || t == Type::f64 || t == Type::tf32;
}
int words(Type t) {
  return std::max(ptx::bits(t) / 32, 1);
}

Cost arithmetic(OpKind kind, int count = 1, int lanes = 0) {
  return {Form::arithmetic, {{{kind, count, lanes}, {}}}};
}
Cost integers(int count) {
  return arithmetic(OpKind::integer, count);
}
/// A special function, and steps around it.
Cost special(OpKind steps, int count) {
  return {Form::arithmetic, {{{OpKind::special, 1, 0}, {steps, count, 0}}}};
}
Cost form(Form f) {
  return {f, {}};
}

/// Of the real-number operations with a result in one step.
Cost real_step(Type t) {
  if (t == Type::f64) return arithmetic(OpKind::fp64);
  return arithmetic(OpKind::fp32, 1, is_half(t) ? packed_half_rate : 0);
}

/// The two types of cvt: to, from.
std::pair<Type, Type> conversion(const Instruction& i) {
  Type to = Type::b32, from = Type::b32;
  for (const std::string& m : i.modifiers)
    if (const auto t = ptx::type_from(m)) to = from, from = *t;
  return {to, from};
}

Cost convert(const Instruction& i) {
  const auto [to, from] = conversion(i);
  const bool wide = ptx::bits(to) == 64 || ptx::bits(from) == 64;
  if (is_real(to) && is_real(from)) {
    if (wide) return arithmetic(OpKind::special, 1, special_rate);
    if (to == from && i.has("rni")) return arithmetic(OpKind::special, 1, special_rate);
    return is_half(from) ? arithmetic(OpKind::fp32) : integers(1);
  }
  if (is_real(to) || is_real(from)) return arithmetic(OpKind::special, 1, special_rate);
  if (i.has("sat")) return integers(2);
  if (ptx::bits(to) <= ptx::bits(from)) return form(Form::copy);
  const bool is_signed = from == Type::s8 || from == Type::s16 || from == Type::s32;
  if (ptx::bits(to) == 64 && ptx::bits(from) == 32 && !is_signed) return form(Form::copy);
  return integers(1);
}

Cost divide(const Instruction& i, Type t) {
  if (t == Type::f64) return special(OpKind::fp64, 8);
  if (t == Type::f32) return special(OpKind::fp32, i.has("approx") ? 1 : i.has("full") ? 3 : 8);
  return words(t) == 2 ? special(OpKind::integer, 60) : special(OpKind::integer, 14);
}

Cost function(const Instruction& i, Type t) {
  if (t == Type::f64) return special(OpKind::fp64, i.opcode == "rcp" ? 6 : 8);
  const bool exact = !i.has("approx");
  if (i.opcode == "sqrt") return special(OpKind::fp32, exact ? 6 : 1);
  if (i.opcode == "rcp") return special(OpKind::fp32, exact ? 4 : 0);
  const bool reduces = i.opcode == "sin" || i.opcode == "cos";
  return special(OpKind::fp32, reduces ? 1 : 0);
}

Cost move(const Instruction& i) {
  const Operand& from = i.operands.back();
  if (from.kind == Operand::Kind::special) return integers(1);
  if (from.kind == Operand::Kind::reg) {
    // {a, b} = b32: two halves
    if (i.operands[0].kind != Operand::Kind::vector) return form(Form::copy);
    return ptx::bits(type_of(i)) == 64 && i.operands[0].parts.size() == 2 ? form(Form::copy) : integers(1);
  }
  if (from.kind != Operand::Kind::vector) return form(Form::constant);
  return ptx::bits(type_of(i)) == 64 && from.parts.size() == 2 ? form(Form::copy) : integers(1);
}

Cost load(const Instruction& i, const ptx::Function& f) {
  if (i.has("param") || i.has("param::entry") || i.has("param::func"))
    return form(f.entry ? Form::constant : Form::nothing);
  const bool fixed = std::any_of(i.operands.begin(), i.operands.end(), [](const Operand& o) {
    return o.kind == Operand::Kind::address && o.reg < 0;
  });
  if (i.has("const") && fixed) return form(Form::constant);
  return form(Form::memory);
}

bool is_control(const Instruction& i) {
  constexpr std::array<std::string_view, 9> control{"bar", "barrier", "bra",  "brx",  "call",
                                                    "ret", "exit",    "trap", "brkpt"};
  return is_one_of(i.opcode, control) || (i.opcode == "cp" && i.has("async") && i.operands.size() < 2);
}

Cost integer_or_bits(const Instruction& i, Type t) {
  const std::string& op = i.opcode;
  const int n = words(t);
  if (is_any(op, "popc", "clz", "bfind", "brev")) return {Form::arithmetic, {{{OpKind::special, n, 0}, {}}}};
  if (op == "mul" || op == "mad") {
    return arithmetic(multiply_add, i.has("wide") || n == 1 ? 1 : i.has("hi") ? 8 : 3);
  }
  if (op == "min" || op == "max" || op == "abs") return integers(n == 2 ? 4 : 1);
  if (op == "shl" && i.operands.back().kind == Operand::Kind::integer) return arithmetic(multiply_add, n);
  if (op == "redux") return arithmetic(OpKind::special, 1, special_rate);
  return integers(n);
}

}  // namespace

bool writes_first(const Instruction& i) {
  if (i.operands.empty() || i.operands[0].kind == Operand::Kind::address) return false;
  if (i.opcode == "bar" || i.opcode == "barrier") return i.has("red");
  constexpr std::array<std::string_view, 8> none{"bra",   "brx",      "nanosleep", "pmevent",
                                                 "brkpt", "prefetch", "st",        "red"};
  return !is_one_of(i.opcode, none);
}

const isa::Instruction* matrix_row(const Instruction& i) {
  try {
    return isa::parse_spelling(ptx::table_spelling(i)).instruction;
  } catch (const Error&) {
    return nullptr;  // the executor refuses it if it is executed
  }
}

Type type_of(const Instruction& i) {
  for (auto m = i.modifiers.rbegin(); m != i.modifiers.rend(); ++m)
    if (const auto t = ptx::type_from(*m)) return *t;
  return Type::b32;
}

Cost cost_of(const Instruction& i, const ptx::Function& f) {
  const std::string& op = i.opcode;
  if (is_any(op, "mma", "wmma", "ldmatrix", "movmatrix")) return form(Form::matrix);
  if (is_control(i)) return form(Form::control);
  if (op == "mov") return i.operands.size() < 2 ? integers(1) : move(i);
  if (op == "cvta") return form(i.operands.back().kind == Operand::Kind::reg ? Form::copy : Form::constant);
  if (op == "cvt") return convert(i);
  if (op == "ld" || op == "ldu") return load(i, f);
  if (op == "st" && (i.has("param") || i.has("param::func"))) return form(Form::nothing);
  if (is_any(op, "st", "atom", "red", "mbarrier", "shfl")) return form(Form::memory);
  if (op == "cp") return i.has("async") ? form(Form::memory) : integers(1);
  if (op == "selp" || op == "slct" || op == "prmt" || op == "shf") return integers(words(type_of(i)));
  const Type t = type_of(i);
  if (op == "div" || op == "rem") return divide(i, t);
  if (is_any(op, "rcp", "sqrt", "rsqrt", "ex2", "lg2", "sin", "cos", "tanh")) return function(i, t);
  if (!is_real(t)) return integer_or_bits(i, t);
  if (op == "setp" || op == "set")
    return t == Type::f32 ? integers(1) : real_step(t);  // FSETP runs beside the integers
  if ((op == "min" || op == "max") && !is_half(t)) return integers(t == Type::f64 ? 4 : 1);
  return real_step(t);
}

namespace {

bool is_logic(const Instruction& i) {
  return is_any(i.opcode, "and", "or", "xor", "not");
}

}  // namespace

bool fuses(const Instruction& first, const Instruction& second) {
  if (first.predicate >= 0) return false;
  if (is_real(type_of(first)) || is_real(type_of(second))) return false;
  if (is_logic(first) && is_logic(second)) return true;
  if (second.opcode != "add" || second.has("cc")) return false;
  if (first.opcode == "mul") return first.has("wide") || (first.has("lo") && words(type_of(first)) == 1);
  return first.opcode == "shl" && first.operands.back().kind == Operand::Kind::integer;
}

Work fused_work(const Instruction& first, const Instruction& second) {
  if (first.opcode == "mul") return {multiply_add, 1, 0};
  return {OpKind::integer, words(type_of(second)), 0};
}

}  // namespace twofour::emu::profile
