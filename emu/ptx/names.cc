#include "twofour/emu/ptx/names.h"

#include <algorithm>
#include <charconv>
#include <functional>

namespace twofour::emu::ptx::syntax {
namespace {

std::size_t hash_of(std::string_view text) {
  return std::hash<std::string_view>{}(text);
}

constexpr std::size_t longest_number = 7;  ///< digits of 2^20, the most registers

}  // namespace

Names::Names() : slots_(1024, -1), scopes_(1, Scope{{}, {}, -1}) {}

/// The slot that has the name, or the free one where it belongs.
int Names::look_up(std::string_view text, std::size_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
    const int name = slots_[at];
    if (name < 0) return int(at);
    if (names_[name].hash == hash && names_[name].text == text) return int(at);
  }
}

int Names::intern(std::string_view text) {
  const std::size_t hash = hash_of(text);
  const int slot = look_up(text, hash);
  if (slots_[slot] >= 0) return slots_[slot];
  const int name = int(names_.size());
  slots_[slot] = name;
  names_.push_back({.text = text, .hash = hash});
  if (names_.size() * 2 > slots_.size()) grow();
  return name;
}

void Names::grow() {
  slots_.assign(slots_.size() * 2, -1);
  for (std::size_t n = 0; n < names_.size(); ++n) slots_[look_up(names_[n].text, names_[n].hash)] = int(n);
}

void Names::enter() {
  if (depth() == 0) {
    ++function_;
    of_module_ = bindings_.size();
  }
  scopes_.push_back({{}, {}, deepest_range_});
}

void Names::leave() {
  const Scope& scope = scopes_.back();
  for (const int b : scope.bindings) names_[bindings_[b].name].binding = bindings_[b].hidden;
  for (const int r : scope.ranges) names_[ranges_[r].prefix].range = ranges_[r].hidden;
  deepest_range_ = scope.deepest_range;
  scopes_.pop_back();
  if (depth() > 0) return;
  bindings_.resize(of_module_);
  ranges_.clear();
}

Binding& Names::bind(int name, Binding binding) {
  binding.name = name;
  binding.hidden = names_[name].binding;
  names_[name].binding = int(bindings_.size());
  if (binding.depth == 0) names_[name].of_module = true;
  scopes_[binding.depth].bindings.push_back(int(bindings_.size()));
  return bindings_.emplace_back(binding);
}

Binding* Names::declare(std::string_view text, Binding binding) {
  const int name = intern(text);
  const int before = names_[name].binding;
  if (before >= 0 && bindings_[before].depth == depth()) return nullptr;
  if (find_range(text, depth() - 1)) return nullptr;
  binding.depth = depth();
  if (binding.spelling.empty()) binding.spelling = text;
  return &bind(name, binding);
}

bool Names::declare_range(std::string_view prefix, int count, Type type, int width) {
  const int name = intern(prefix);
  const int before = names_[name].range;
  if (before >= 0 && ranges_[before].depth == depth()) return false;
  names_[name].range = int(ranges_.size());
  scopes_.back().ranges.push_back(int(ranges_.size()));
  ranges_.push_back({count, depth(), before, name, type, width});
  deepest_range_ = depth();
  return true;
}

/// The innermost range with this name in it, of those in deeper scopes than the one given.
const Names::Range* Names::find_range(std::string_view text, int deeper_than) const {
  if (deepest_range_ <= deeper_than) return nullptr;
  const Range* found = nullptr;
  const std::size_t first = text.size() > longest_number ? text.size() - longest_number : 1;
  for (std::size_t n = text.size(); n-- > first && text[n] >= '0' && text[n] <= '9';) {
    if (text[n] == '0' && n + 1 < text.size()) continue;  // no leading zeros
    const std::string_view prefix = text.substr(0, n);
    const int name = slots_[look_up(prefix, hash_of(prefix))];
    if (name < 0) continue;
    int number = 0;
    std::from_chars(text.data() + n, text.data() + text.size(), number);
    int r = names_[name].range;
    while (r >= 0 && number >= ranges_[r].count) r = ranges_[r].hidden;
    if (r < 0 || ranges_[r].depth <= deeper_than) continue;
    found = &ranges_[r];
    deeper_than = found->depth;
  }
  return found;
}

Binding* Names::find(std::string_view text) {
  const int name = intern(text);
  const int bound = names_[name].binding;
  const int at_depth = bound >= 0 ? bindings_[bound].depth : -1;
  if (const Range* r = at_depth < deepest_range_ ? find_range(text, at_depth) : nullptr)
    return &bind(name, {.type = r->type, .width = r->width, .spelling = text, .depth = r->depth});
  return bound >= 0 ? &bindings_[bound] : nullptr;
}

std::string_view Names::unique(std::string_view text) {
  Name& name = names_[intern(text)];
  name.copies = name.function == function_ ? name.copies + 1 : 1;
  name.function = function_;
  const int copy = name.copies + (name.of_module ? 1 : 0);
  if (copy == 1) return text;
  return keep(std::string(text) + '#' + std::to_string(copy));
}

}  // namespace twofour::emu::ptx::syntax
