#include "twofour/emu/ptx/labels.h"

#include "twofour/isa/error.h"

namespace twofour::emu::ptx::syntax {
namespace {

constexpr std::string_view described[] = {"a label of code", "a label of .branchtargets",
                                          "a label of .callprototype or .calltargets"};

void fill_in(const Labels::Use& use, int value, Function& function) {
  using Place = Labels::Use::Place;
  if (use.place == Place::operand) function.code[use.first].operands[use.second].target = value;
  if (use.place == Place::table) function.branch_targets[use.first].second[use.second] = value;
}

}  // namespace

void Labels::define(const Token& name, LabelKind kind, int value) {
  if (!names_.declare(name.text, {.kind = Binding::Kind::label}))
    lexer_.fail_at(name, "the name is declared already in this scope");
  defined_.push_back({names_.intern(name.text), kind, value});
}

void Labels::use(const Use& use) {
  const auto name = std::size_t(names_.intern(use.token.text));
  if (name >= last_use_.size()) last_use_.resize(name + name / 2 + 1, -1);
  uses_.push_back({use, int(name), last_use_[name], false});
  last_use_[name] = int(uses_.size()) - 1;
}

void Labels::settle(const Defined& label, int first_use, Function& function) {
  if (std::size_t(label.name) >= last_use_.size()) return;
  int& last = last_use_[label.name];
  for (; last >= first_use; last = uses_[last].next) {
    Pending& pending = uses_[last];
    if (pending.use.wanted != label.kind)
      lexer_.fail_at(pending.use.token, fmt::format("expected {}", described[int(pending.use.wanted)]));
    fill_in(pending.use, label.value, function);
    pending.settled = true;
  }
}

void Labels::leave(Function& function) {
  const Scope scope = scopes_.back();
  scopes_.pop_back();
  for (std::size_t n = scope.defined; n < defined_.size(); ++n)
    settle(defined_[n], int(scope.uses), function);
  defined_.resize(scope.defined);
  if (!scopes_.empty()) return;
  fail_for_unsettled();
  uses_.clear();
}

void Labels::fail_for_unsettled() const {
  for (const auto& pending : uses_)
    if (!pending.settled) lexer_.fail_at(pending.use.token, "the label is not declared in this scope");
}

}  // namespace twofour::emu::ptx::syntax
