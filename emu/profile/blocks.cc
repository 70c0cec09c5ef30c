#include "twofour/emu/profile/blocks.h"

namespace twofour::emu::profile {
namespace {

using ptx::Instruction;
using ptx::Operand;

bool ends_block(const Instruction& i) {
  return i.opcode == "bra" || i.opcode == "brx" || i.opcode == "ret" || i.opcode == "exit" ||
         i.opcode == "trap" || i.opcode == "call";
}

std::vector<int> targets_of(const ptx::Function& f, const Instruction& i) {
  std::vector<int> targets;
  if (i.opcode == "bra") {
    for (const Operand& o : i.operands)
      if (o.kind == Operand::Kind::label) targets.push_back(o.target);
  } else if (i.opcode == "brx" && i.operands.size() > 1) {
    const auto table = std::size_t(i.operands[1].target);
    if (table < f.branch_targets.size()) targets = f.branch_targets[table].second;
  }
  return targets;
}

bool falls_through(const Instruction& i) {
  return i.predicate >= 0 || i.opcode == "call" || !ends_block(i);
}

}  // namespace

Blocks find_blocks(const ptx::Function& f) {
  const std::size_t count = f.code.size();
  std::vector<char> starts(count + 1);
  starts[0] = starts[count] = 1;
  for (std::size_t p = 0; p < count; ++p) {
    if (!ends_block(f.code[p])) continue;
    starts[p + 1] = 1;
    for (const int t : targets_of(f, f.code[p])) starts[std::size_t(t)] = 1;
  }
  Blocks b;
  for (std::size_t p = 0; p < count; ++p) {
    if (starts[p] != 0) b.first.push_back(int(p));
    b.of.push_back(int(b.first.size()) - 1);
  }
  b.next.resize(b.first.size());
  b.first.push_back(int(count));
  for (int block = 0; block < b.count(); ++block) {
    const Instruction& last = f.code[std::size_t(b.first[std::size_t(block) + 1]) - 1];
    auto& next = b.next[std::size_t(block)];
    for (const int t : targets_of(f, last))
      if (std::size_t(t) < count) next.push_back(b.of[std::size_t(t)]);
    if (falls_through(last) && block + 1 < b.count()) next.push_back(block + 1);
  }
  return b;
}

}  // namespace twofour::emu::profile
