// A kernel: its parameters, its shared memory and the functions it may call.
#include <algorithm>
#include <deque>
#include <set>

#include "twofour/emu/ptx/decode.h"
#include "twofour/emu/ptx/memory.h"

namespace twofour::emu::ptx {
namespace {

/// Functions that the entry calls or whose address it or its tables may hold: the entry first.
std::vector<const Function*> reachable(const Kernel& k) {
  std::vector<const Function*> found{k.entry};
  std::set<const Function*> known{k.entry};
  const auto add = [&](const Function* f) {
    if (f != nullptr && !f->external && known.insert(f).second) found.push_back(f);
  };
  bool indirect = false;
  for (std::size_t i = 0; i < found.size(); ++i) {
    for (const auto& [position, call] : found[i]->calls) {
      if (!call.function.empty()) {
        add(k.functions.find(call.function));
      } else if (!std::exchange(indirect, true)) {
        for (const Function& f : k.module->functions)
          if (!f.entry) add(&f);
      }
    }
  }
  return found;
}

std::set<std::string_view> named_symbols(const std::vector<const Function*>& functions) {
  std::set<std::string_view> names;
  for (const Function* f : functions)
    for (const Instruction& i : f->code)
      for (const Operand& o : i.operands)
        if (!o.symbol.empty()) names.insert(o.symbol);
  return names;
}

void lay_out_parameters(Kernel& k) {
  std::uint64_t at = 0;
  for (const Variable& v : k.entry->parameters) {
    const auto align = std::uint64_t(std::max(v.align, 1));
    at = (at + align - 1) / align * align;
    k.parameter_offsets[v.name] = std::uint32_t(at);
    at += std::uint64_t(v.bytes);
    if (at > param_window_end - param_window)
      fail("{}:{}: kernel {} has more than {} bytes of parameters", k.module->file, k.entry->at.line,
           k.entry->name, param_window_end - param_window);
  }
  k.parameter_bytes = std::uint32_t(at);
}

/// Variables of the module that the kernel names, those of its functions, and, after all, what the launch
/// sizes (.extern .shared), which all begin at the same address.
void lay_out_shared(Kernel& k, const std::vector<const Function*>& functions) {
  std::uint64_t at = 0, dynamic_align = 16;
  std::vector<std::pair<const Function*, const Variable*>> dynamic;
  const auto place = [&](const Function* scope, const Variable& v) {
    if (v.space != Space::shared) return;
    // Kernels read vectors from arrays that promise less.
    const auto align = std::uint64_t(std::max(v.align, v.bytes >= 16 ? 16 : 1));
    if (v.bytes == 0) {
      dynamic_align = std::max(dynamic_align, align);
      dynamic.push_back({scope, &v});
      return;
    }
    at = (at + align - 1) / align * align;
    k.shared[{scope, v.name}] = shared_window + at;
    at += std::uint64_t(v.bytes);
    if (at > shared_window_end - shared_window)
      fail("{}:{}: kernel {} has more than {} bytes of static shared memory", k.module->file,
           k.entry->at.line, k.entry->name, shared_window_end - shared_window);
  };
  const auto names = named_symbols(functions);
  for (const Variable& v : k.module->variables)
    if (names.contains(v.name)) place(nullptr, v);
  for (const Function* f : functions)
    for (const Variable& v : f->variables) place(f, v);
  if (!dynamic.empty()) at = (at + dynamic_align - 1) / dynamic_align * dynamic_align;
  for (const auto& [scope, v] : dynamic) k.shared[{scope, v->name}] = shared_window + at;
  k.static_shared = at;
}

}  // namespace

std::unique_ptr<Kernel> decode_kernel(const Module& module, const Function& entry, const Symbols& symbols,
                                      bool observed) {
  auto k = std::make_unique<Kernel>(module);
  k->entry = &entry;
  k->symbols = &symbols;
  k->observed = observed;
  const auto functions = reachable(*k);
  lay_out_parameters(*k);
  lay_out_shared(*k, functions);
  for (const Function* f : functions) k->programs[f] = std::make_unique<Program>();
  for (const Function* f : functions) {
    Program& program = *k->programs[f];
    FunctionDecoder(*k, *f).decode(program);
    if (const auto address = symbols.functions.find(f->name); address != symbols.functions.end())
      k->by_address[address->second] = &program;
  }
  k->program = k->programs.at(&entry).get();
  return k;
}

}  // namespace twofour::emu::ptx
