#include "twofour/emu/profile/values.h"

#include <algorithm>

namespace twofour::emu::profile {
namespace {

using ptx::Instruction;
using ptx::Operand;
using ptx::Type;

void visit(const Operand& o, int operand, const RegisterVisitor& f) {
  if (o.reg >= 0) f(o.reg, operand);
  for (const Operand& part : o.parts) visit(part, operand, f);
}

const ptx::Call* call_at(const ptx::Function& f, int position) {
  const auto at = std::lower_bound(f.calls.begin(), f.calls.end(), position,
                                   [](const auto& call, int p) { return call.first < p; });
  return at != f.calls.end() && at->first == position ? &at->second : nullptr;
}

int words_of(Type t) {
  return t == Type::pred ? 1 : std::max(ptx::bits(t) / 32, 1);
}

class Finder {
 public:
  Finder(const ptx::Function& f, const Blocks& blocks) : f_(f), blocks_(blocks), facts_(f.registers.size()) {}

  Values find() {
    const std::size_t count = f_.code.size();
    v_.gone.resize(count);
    v_.fused.assign(count, -1);
    v_.of.resize(f_.registers.size());
    for (const Instruction& i : f_.code) v_.costs.push_back(cost_of(i, f_));
    count_uses();
    for (int p = 0; p < int(count); ++p) rename(p);
    for (int r = 0; r < int(f_.registers.size()); ++r)
      if (!facts_[std::size_t(r)].renamed) make_value(r);
    for (int p = 0; p < int(count); ++p) fuse(p);
    return std::move(v_);
  }

 private:
  struct Facts {
    int writes = 0, reads = 0, address_reads = 0, written_at = -1;
    bool renamed = false;
    bool is_single() const { return writes == 1; }
  };

  void count_uses() {
    std::size_t given = 0;  // results and parameters in registers come first
    for (const auto* list : {&f_.results, &f_.parameters})
      for (const ptx::Variable& v : *list) given += v.space == ptx::Space::reg ? 1 : 0;
    for (std::size_t r = 0; r < std::min(given, facts_.size()); ++r) facts_[r].writes = 2;
    for (int p = 0; p < int(f_.code.size()); ++p) {
      const Instruction& i = f_.code[std::size_t(p)];
      for_writes(f_, p, [&](int r, int) {
        facts_[std::size_t(r)].writes += i.predicate >= 0 ? 2 : 1;  // the old value may stay
        facts_[std::size_t(r)].written_at = p;
      });
      for_reads(f_, p, [&](int r, int operand) {
        Facts& facts = facts_[std::size_t(r)];
        ++facts.reads;
        facts.address_reads +=
            operand >= 0 && i.operands[std::size_t(operand)].kind == Operand::Kind::address ? 1 : 0;
      });
    }
  }

  void make_value(int r) {
    const Type t = f_.registers[std::size_t(r)].type;
    v_.of[std::size_t(r)] = {int(v_.values.size()), 0, words_of(t)};
    v_.values.push_back({words_of(t), t == Type::pred});
    facts_[std::size_t(r)].renamed = true;
  }
  Place place(int r) {
    if (!facts_[std::size_t(r)].renamed) make_value(r);
    return v_.of[std::size_t(r)];
  }
  void stand_for(int r, Place place) {
    v_.of[std::size_t(r)] = place;
    facts_[std::size_t(r)].renamed = true;
  }
  bool is_new(int r) const {
    const Facts& facts = facts_[std::size_t(r)];
    return facts.is_single() && !facts.renamed;
  }
  bool is_fixed(int r) const { return facts_[std::size_t(r)].is_single(); }

  void rename(int p) {
    const Instruction& i = f_.code[std::size_t(p)];
    const Form form = v_.costs[std::size_t(p)].form;
    if (form == Form::constant) {
      bool all = true;
      for_writes(f_, p, [&](int r, int) { all &= is_new(r); });
      if (!all) return;  // a register that holds other things, too
      for_writes(f_, p, [&](int r, int) { stand_for(r, {}); });
      v_.gone[std::size_t(p)] = 1;
    } else if (form == Form::copy) {
      copy(p, i);
    } else if (i.opcode == "add" && i.operands.size() == 3 && !i.has("cc")) {
      fold_address(p, i);
    }
  }

  void copy(int p, const Instruction& i) {
    const Operand &to = i.operands[0], &from = i.operands.back();
    if (from.kind != Operand::Kind::reg || !is_fixed(from.reg)) return;
    const auto cut = [&](int r, int offset) {
      Place source = place(from.reg);
      const int words = words_of(f_.registers[std::size_t(r)].type);
      source.offset += offset;
      source.count = std::max(std::min(words, source.count - offset), 0);
      if (source.count == 0) source = {};  // upper half of what was extended by zeros
      stand_for(r, source);
    };
    if (to.kind == Operand::Kind::reg && is_new(to.reg)) {
      cut(to.reg, 0);
    } else if (to.kind == Operand::Kind::vector) {
      for (const Operand& part : to.parts)
        if (part.reg >= 0 && !is_new(part.reg)) return;
      for (int k = 0; k < int(to.parts.size()); ++k)
        if (const int r = to.parts[std::size_t(k)].reg; r >= 0) cut(r, k);
    } else {
      return;
    }
    v_.gone[std::size_t(p)] = 1;
  }

  void fold_address(int p, const Instruction& i) {
    const int r = i.operands[0].reg;
    const Operand &a = i.operands[1], &b = i.operands[2];
    if (r < 0 || !is_new(r) || a.kind != Operand::Kind::reg || !is_fixed(a.reg) ||
        b.kind != Operand::Kind::integer)
      return;
    const Facts& facts = facts_[std::size_t(r)];
    if (facts.address_reads == 0 || facts.address_reads != facts.reads) return;
    stand_for(r, place(a.reg));
    v_.gone[std::size_t(p)] = 1;
  }

  /// Reads nothing that may change between its place and another one.
  bool reads_fixed(int p) const {
    bool fixed = true;
    for_reads(f_, p, [&](int r, int) { fixed &= is_fixed(r); });
    return fixed;
  }

  void fuse(int p) {
    const auto at = std::size_t(p);
    const Instruction& i = f_.code[at];
    if (v_.gone[at] != 0 || v_.costs[at].form != Form::arithmetic) return;
    for (std::size_t k = 1; k < i.operands.size(); ++k) {
      const int r = i.operands[k].kind == Operand::Kind::reg ? i.operands[k].reg : -1;
      if (r < 0 || !is_fixed(r) || facts_[std::size_t(r)].reads != 1) continue;
      const int first = facts_[std::size_t(r)].written_at;
      const auto from = std::size_t(first);
      if (first >= p || blocks_.of[from] != blocks_.of[at] || v_.gone[from] != 0 || v_.fused[from] >= 0 ||
          v_.costs[from].form != Form::arithmetic || !fuses(f_.code[from], i) || !reads_fixed(first))
        continue;
      v_.gone[from] = 1;
      v_.fused[at] = first;
      v_.costs[at].work = {{fused_work(f_.code[from], i), {}}};
      return;
    }
  }

  const ptx::Function& f_;
  const Blocks& blocks_;
  std::vector<Facts> facts_;
  Values v_;
};

}  // namespace

void for_reads(const ptx::Function& function, int position, const RegisterVisitor& f) {
  const Instruction& i = function.code[std::size_t(position)];
  if (i.predicate >= 0) f(i.predicate, -1);
  for (int k = writes_first(i) ? 1 : 0; k < int(i.operands.size()); ++k)
    visit(i.operands[std::size_t(k)], k, f);
  if (const ptx::Call* call = call_at(function, position)) {
    for (const Operand& o : call->arguments) visit(o, -1, f);
    if (call->target_register >= 0) f(call->target_register, -1);
  }
}

void for_writes(const ptx::Function& function, int position, const RegisterVisitor& f) {
  const Instruction& i = function.code[std::size_t(position)];
  if (writes_first(i)) visit(i.operands[0], 0, f);
  if (const ptx::Call* call = call_at(function, position))
    for (const Operand& o : call->results) visit(o, -1, f);
}

Values find_values(const ptx::Function& function, const Blocks& blocks) {
  return Finder(function, blocks).find();
}

}  // namespace twofour::emu::profile
