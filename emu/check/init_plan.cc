#include "twofour/emu/check/init_plan.h"

#include <algorithm>

namespace twofour::emu::check {
namespace {

using Kind = ptx::Operand::Kind;

bool one_of(std::string_view word, std::initializer_list<std::string_view> list) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

InitRule matrix_rule(const isa::Instruction& i) {
  switch (i.family) {
    case isa::Family::ldmatrix: return InitRule::load_matrix;
    case isa::Family::movmatrix: return InitRule::transpose;
    case isa::Family::wmma_load: return InitRule::load_fragment;
    case isa::Family::wmma_store: return InitRule::store_fragment;
    default: return InitRule::multiply;
  }
}

InitRule rule_of(const ptx::Site& site) {
  if (site.matrix != nullptr) return matrix_rule(*site.matrix);
  const ptx::Instruction& i = site.instruction();
  const std::string& op = i.opcode;
  if (op == "ld" || op == "ldu") return InitRule::load;
  if (op == "st") return InitRule::store;
  if (op == "atom" || op == "red") return i.has("exch") ? InitRule::exchange : InitRule::atomic;
  if (!site.memory.empty() && site.memory.front().atomic) return InitRule::barrier_word;
  if (!site.memory.empty() && site.memory.front().asynchronous) return InitRule::copy;
  if (op == "shfl") return InitRule::shuffle;
  if (one_of(op, {"vote", "match", "redux"})) return InitRule::collective;
  if (op == "selp") return InitRule::select;
  if (op == "and" || op == "or") return InitRule::logic;
  if (op == "setp" && i.operands.size() == 4) return InitRule::compare;
  if (op == "call") return InitRule::call;
  if (one_of(op, {"bra", "brx", "ret", "exit", "trap", "bar", "barrier"})) return InitRule::jump;
  return InitRule::plain;
}

bool is_address(const ptx::Site& site, int operand) {
  const auto& operands = site.instruction().operands;
  return operand >= 0 && std::size_t(operand) < operands.size() &&
         operands[std::size_t(operand)].kind == Kind::address;
}

std::vector<int> elements_of(const ptx::Operand& o) {
  if (o.kind != Kind::vector) return {o.kind == Kind::reg ? o.reg : -1};
  std::vector<int> out;
  for (const ptx::Operand& part : o.parts) out.push_back(part.kind == Kind::reg ? part.reg : -1);
  return out;
}

}  // namespace

InitPlan init_plan(const ptx::Site& site) {
  InitPlan p;
  p.rule = rule_of(site);
  p.decides =
      p.rule == InitRule::jump || p.rule == InitRule::call || site.matrix != nullptr || !site.memory.empty();
  const bool calls = p.rule == InitRule::call;  // its operands stand elsewhere
  for (const ptx::RegisterUse& use : site.reads) {
    if (use.operand < 0)
      p.guard = use.reg;
    else
      (!calls && is_address(site, use.operand) ? p.addresses : p.sources).push_back(use.reg);
  }
  for (const ptx::RegisterUse& use : site.writes) p.results.push_back(use.reg);
  const auto& operands = site.instruction().operands;
  if (p.rule == InitRule::load && !operands.empty()) p.elements = elements_of(operands[0]);
  if (p.rule == InitRule::store && operands.size() > 1) p.elements = elements_of(operands[1]);
  return p;
}

}  // namespace twofour::emu::check
