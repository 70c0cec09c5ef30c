#include "twofour/emu/ptx/link.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

namespace twofour::emu::ptx {
namespace {

using Names = std::map<std::string, std::string, std::less<>>;  // old, new

void rename(std::string& name, const Names& names) {
  if (const auto at = names.find(name); at != names.end()) name = at->second;
}

void rename(Operand& o, const Names& names) {
  if (!o.symbol.empty()) rename(o.symbol, names);
  for (Operand& part : o.parts) rename(part, names);
}

void rename(Module& m, const Names& names) {
  for (Variable& v : m.variables) {
    rename(v.name, names);
    for (Relocation& r : v.relocations) rename(r.symbol, names);
  }
  for (Function& f : m.functions)
    for (Instruction& i : f.code)
      for (Operand& o : i.operands) rename(o, names);
}

class Linked {
 public:
  explicit Linked(Module first) : all_(std::move(first)) {
    for (std::size_t i = 0; i < all_.variables.size(); ++i) variables_[all_.variables[i].name] = i;
    for (std::size_t i = 0; i < all_.functions.size(); ++i) functions_[all_.functions[i].name] = i;
  }

  void add(Module m) {
    ++count_;
    Names names;
    for (const Variable& v : m.variables)
      if (belongs_to_its_module(v)) names[v.name] = fmt::format("{}@{}", v.name, count_);
    if (!names.empty()) rename(m, names);
    for (Variable& v : m.variables) place(v, all_.variables, variables_);
    for (Function& f : m.functions) place(f, all_.functions, functions_);
    for (auto& alias : m.aliases) all_.aliases.push_back(std::move(alias));
    all_.sm = std::max(all_.sm, m.sm);
  }
  Module take() { return std::move(all_); }

 private:
  using Index = std::unordered_map<std::string, std::size_t>;

  /// And another module has the name.
  bool belongs_to_its_module(const Variable& v) const {
    return !v.external && !v.visible && variables_.contains(v.name);
  }

  template <class T>
  static void place(T& item, std::vector<T>& items, Index& index) {
    const auto [at, fresh] = index.try_emplace(item.name, items.size());
    if (fresh)
      items.push_back(std::move(item));
    else if (items[at->second].external && !item.external)
      items[at->second] = std::move(item);
  }

  Module all_;
  Index variables_, functions_;
  int count_ = 1;
};

}  // namespace

Module link(std::vector<Module> modules) {
  Linked linked(std::move(modules.front()));
  for (std::size_t i = 1; i < modules.size(); ++i) linked.add(std::move(modules[i]));
  return linked.take();
}

}  // namespace twofour::emu::ptx
