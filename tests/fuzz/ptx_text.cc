#include <stdexcept>
#include <string>

#include "targets.h"
#include "twofour/emu/ptx/module.h"
#include "twofour/isa/error.h"

namespace twofour::fuzz {
namespace {

using namespace emu::ptx;

void promise(bool kept, const char* what) {
  if (!kept) throw std::logic_error(what);
}

bool below(int value, std::size_t count) {
  return value >= 0 && std::size_t(value) < count;
}

void check(const Operand& o, const Function& f, bool brx) {
  const bool based = o.kind == Operand::Kind::address && o.reg >= 0;
  if (o.kind == Operand::Kind::reg || based)
    promise(below(o.reg, f.registers.size()), "an operand is a register that is not there");
  if (o.kind == Operand::Kind::label)
    promise(below(o.target, brx ? f.branch_targets.size() : f.code.size() + 1), "a branch leads nowhere");
  for (const Operand& part : o.parts) check(part, f, brx);
}

void check(const Function& f, const Module& m) {
  for (const Instruction& i : f.code) {
    promise(i.predicate < 0 || below(i.predicate, f.registers.size()), "a predicate is not there");
    for (const Operand& o : i.operands) check(o, f, i.opcode == "brx");
  }
  for (const auto& [index, call] : f.calls) {
    promise(below(index, f.code.size()) && f.code[index].opcode == "call", "a call without its instruction");
    promise(call.function.empty() ? below(call.target_register, f.registers.size())
                                  : m.function(call.function) != nullptr,
            "a call leads nowhere");
    for (const auto* list : {&call.results, &call.arguments})
      for (const Operand& o : *list) check(o, f, false);
  }
  for (const auto& [name, targets] : f.branch_targets)
    for (const int t : targets) promise(below(t, f.code.size() + 1), "a table leads nowhere");
}

}  // namespace

void ptx_text(Bytes bytes) {
  Module m;
  try {
    m = parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, "f");
  } catch (const Error& e) {
    promise(std::string_view(e.what()).starts_with("f:"), "a refusal without a place");
    return;
  }
  for (const Function& f : m.functions) check(f, m);
  for (const Variable& v : m.variables)
    for (const Relocation& r : v.relocations)
      promise(r.offset >= 0 && r.offset + r.bytes <= std::int64_t(v.initial.size()),
              "an address outside its variable");
}

}  // namespace twofour::fuzz
