#include "twofour/runtime/kernel_info.h"

#include <algorithm>
#include <set>
#include <string_view>

namespace twofour::runtime {
namespace {

using emu::ptx::Function;
using emu::ptx::Module;
using emu::ptx::Operand;
using emu::ptx::Space;
using emu::ptx::Variable;

std::int64_t aligned(std::int64_t offset, std::int64_t alignment) {
  const std::int64_t a = std::max<std::int64_t>(1, alignment);
  return (offset + a - 1) / a * a;
}

/// Variables laid out one after the other; bytes in all.
class Layout {
 public:
  std::int64_t add(const Variable& v) {
    const std::int64_t at = aligned(bytes_, v.align);
    bytes_ = at + v.bytes;
    return at;
  }
  std::int64_t bytes() const { return bytes_; }

 private:
  std::int64_t bytes_ = 0;
};

void add_symbols(const Operand& operand, std::set<std::string_view>& symbols) {
  if (!operand.symbol.empty()) symbols.insert(operand.symbol);
  for (const Operand& part : operand.parts) add_symbols(part, symbols);
}

/// Names that a function's code mentions, and the functions that it calls.
std::set<std::string_view> symbols_of(const Function& f) {
  std::set<std::string_view> symbols;
  for (const auto& instruction : f.code)
    for (const Operand& operand : instruction.operands) add_symbols(operand, symbols);
  for (const auto& [at, call] : f.calls) symbols.insert(call.function);
  return symbols;
}

/// The entry and every function that can be reached from it by name.
void collect(const Module& module, const Function& f, std::set<const Function*>& functions,
             std::set<std::string_view>& symbols) {
  const emu::ptx::FunctionIndex index(module);
  std::vector<const Function*> open{&f};
  while (!open.empty()) {
    const Function* const next = open.back();
    open.pop_back();
    if (!functions.insert(next).second) continue;
    for (const auto name : symbols_of(*next)) {
      symbols.insert(name);
      if (const Function* called = index.find(name)) open.push_back(called);
    }
  }
}

std::int64_t shared_bytes(const Module& module, const Function& entry) {
  std::set<const Function*> functions;
  std::set<std::string_view> symbols;
  collect(module, entry, functions, symbols);
  Layout layout;
  for (const Variable& v : module.variables)
    if (v.space == Space::shared && symbols.contains(v.name)) layout.add(v);
  for (const Function* f : functions)
    for (const Variable& v : f->variables)
      if (v.space == Space::shared) layout.add(v);
  return layout.bytes();
}

int threads(const int (&bounds)[3]) {
  const std::int64_t product = std::int64_t{bounds[0]} * std::max(1, bounds[1]) * std::max(1, bounds[2]);
  return product > 0 ? int(std::min<std::int64_t>(product, 1024)) : 1024;
}

}  // namespace

KernelInfo kernel_info(const Module& module, const Function& entry) {
  KernelInfo info;
  Layout parameters, local, constant;
  for (const Variable& v : entry.parameters) info.parameters.push_back({parameters.add(v), v.bytes});
  for (const Variable& v : entry.variables)
    if (v.space == Space::local) local.add(v);
  for (const Variable& v : module.variables)
    if (v.space == Space::constant) constant.add(v);
  info.parameter_bytes = parameters.bytes();
  info.shared_bytes = shared_bytes(module, entry);
  info.local_bytes = local.bytes();
  info.constant_bytes = constant.bytes();
  info.max_threads = std::min(threads(entry.bounds.max_threads), threads(entry.bounds.required_threads));
  info.max_registers = entry.bounds.max_registers;
  info.ptx_version = module.sm;
  return info;
}

}  // namespace twofour::runtime
