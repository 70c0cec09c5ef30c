#include "twofour/emu/profile/lowered_function.h"

#include <algorithm>

#include "twofour/emu/profile/block_order.h"
#include "twofour/emu/profile/registers.h"
#include "twofour/isa/layout.h"
#include "twofour/isa/lowering.h"

namespace twofour::emu::profile {
namespace {

using ptx::Instruction;
using ptx::Operand;

const isa::Instruction* row_like(const isa::Instruction& like) {
  const auto rows = isa::instructions();
  const auto at = std::find(rows.begin(), rows.end(), like);
  return at == rows.end() ? nullptr : &*at;
}

/// A range's part `index` of `count` equal ones.
RegisterRange part(RegisterRange r, int index, int count) {
  const int size = std::max(r.count / count, 1);
  return {std::uint16_t(r.first + std::min(index * size, std::max(r.count - size, 0))),
          std::uint16_t(std::min<int>(size, r.count))};
}

class Lowering {
 public:
  Lowering(const ptx::Function& f, const Values& v, const Registers& r, std::vector<TimedOp>& ops)
      : f_(f), v_(v), r_(r), ops_(ops) {}

  Lowered lower(int position) {
    position_ = position;
    i_ = &f_.code[std::size_t(position)];
    Lowered l{int(ops_.size())};
    access_ = -1, accesses_ = 1;
    reads_.clear(), writes_.clear();
    if (v_.gone[std::size_t(position)] == 0) emit();
    l.count = int(ops_.size()) - l.first;
    if (access_ >= 0) l.access = access_ - l.first, l.accesses = accesses_;
    return l;
  }

 private:
  void emit() {
    find_operands();
    const Cost& cost = v_.costs[std::size_t(position_)];
    switch (cost.form) {
      case Form::nothing: return;
      case Form::copy:
      case Form::constant: return move();
      case Form::arithmetic: return arithmetic(cost);
      case Form::memory: return memory();
      case Form::matrix: return matrix();
      case Form::control: return control();
    }
  }

  // Operands

  void add(std::vector<RegisterRange>& list, int reg) const {
    const RegisterRange r = r_.range(v_.of[std::size_t(reg)]);
    if (r.count == 0) return;
    if (!list.empty() && list.back().first + list.back().count == r.first && r.first != first_predicate)
      list.back().count = std::uint16_t(list.back().count + r.count);
    else
      list.push_back(r);
  }

  void find_operands() {
    const int fused = v_.fused[std::size_t(position_)];
    int inner = -1;
    if (fused >= 0) {
      for_writes(f_, fused, [&](int r, int) { inner = r; });
      for_reads(f_, fused, [&](int r, int) { add(reads_, r); });
    }
    for_reads(f_, position_, [&](int r, int) {
      if (r != inner) add(reads_, r);
    });
    for_writes(f_, position_, [&](int r, int) { add(writes_, r); });
  }

  std::vector<RegisterRange> ranges(const Operand& o) const {
    std::vector<RegisterRange> list;
    if (o.reg >= 0) add(list, o.reg);
    for (const Operand& p : o.parts)
      if (p.reg >= 0) add(list, p.reg);
    return list;
  }

  // Operations

  TimedOp& op(OpKind kind) {
    TimedOp& t = ops_.emplace_back();
    t.kind = kind;
    t.line = std::uint32_t(std::max(i_->at.line, 0));
    return t;
  }
  /// What an instruction reads beyond four ranges, is brought together by others first.
  void read(const std::vector<RegisterRange>& list, std::size_t room) {
    for (std::size_t k = room; k < list.size(); ++k) op(multiply_add).read[0] = list[k];
  }
  static void set_reads(TimedOp& t, const std::vector<RegisterRange>& list) {
    std::copy_n(list.begin(), std::min(list.size(), t.read.size()), t.read.begin());
  }
  /// What an instruction writes beyond one range, others bring there afterwards.
  void write_rest(const std::vector<RegisterRange>& list) {
    for (std::size_t k = 1; k < list.size(); ++k) {
      TimedOp& t = op(multiply_add);
      t.read[0] = list[0];
      t.write = list[k];
    }
  }
  RegisterRange written() const { return writes_.empty() ? RegisterRange{} : writes_[0]; }

  /// One that reads and writes all that the PTX instruction does.
  void whole(OpKind kind, int lanes = 0) {
    read(reads_, 4);
    TimedOp& t = op(kind);
    set_reads(t, reads_);
    t.write = written();
    t.lanes = lanes;
  }

  void arithmetic(const Cost& cost) {
    for (const Work& w : cost.work)
      for (int n = 0; n < w.count; ++n) whole(w.kind, w.lanes);
    write_rest(writes_);
  }

  /// A copy whose sides could not share registers; a number into a register.
  void move() {
    const auto inside = [&](const RegisterRange& w) {
      return std::any_of(reads_.begin(), reads_.end(), [&](const RegisterRange& r) {
        return r.first <= w.first && w.first + w.count <= r.first + r.count;
      });
    };
    for (const RegisterRange& w : writes_)
      if (!inside(w)) {
        TimedOp& t = op(multiply_add);
        set_reads(t, reads_);
        t.write = w;
      }
  }

  void memory() {
    read(reads_, 4);
    access_ = int(ops_.size());
    TimedOp& t = op(OpKind::load_shared);  // the kind comes with the address
    set_reads(t, reads_);
    t.write = written();
    if (i_->opcode == "cp") t.kind = OpKind::cp_async;
    if (i_->opcode == "shfl") t.wavefronts = 1;
    write_rest(writes_);
  }

  // Matrices

  void matrix() {
    const isa::Instruction* row = matrix_row(*i_);
    if (row == nullptr) return whole(OpKind::integer);
    if (row->multiplies()) return multiply(*row);
    if (row->family == isa::Family::ldmatrix) {
      memory();
      ops_[std::size_t(access_)].kind = OpKind::ldmatrix;
      ops_[std::size_t(access_)].instruction = row;
    } else if (i_->opcode == "movmatrix") {
      whole(OpKind::load_shared);
      ops_.back().wavefronts = 1;
    } else {
      memory();
      const isa::Shape tile = isa::tile(*row, row->moved);
      accesses_ = std::max(tile.m * tile.n * isa::bits(row->a) / (32 * 32), 1);
      for (int n = 1; n < accesses_; ++n) ops_.push_back(ops_[std::size_t(access_)]);
    }
  }

  /// The operand as one range; what does not lie together is moved first.
  RegisterRange together(std::size_t operand) {
    const auto list = ranges(i_->operands[operand]);
    read(list, 1);
    return list.empty() ? RegisterRange{} : list[0];
  }

  void multiply(const isa::Instruction& row) {
    const std::array<RegisterRange, 4> operands{together(1), together(2), together(3),
                                                i_->operands.size() > 4 ? together(4) : RegisterRange{}};
    if (row.is_tensor_core()) {
      TimedOp& t = op(OpKind::mma);
      t.instruction = &row;
      t.read = operands;
      t.write = written();
    } else if (row.is_quad_pair()) {
      for (int n = 0; n < row.fma() / 32; ++n) whole(OpKind::fp32);
    } else {
      wmma(isa::lowering(row), operands);
    }
    write_rest(writes_);
  }

  void wmma(const isa::Lowering& l, const std::array<RegisterRange, 4>& operands) {
    const isa::Instruction* step = row_like(l.step);
    if (step == nullptr) return whole(OpKind::fp32);
    for (int k = 0; k < l.k_steps; ++k)
      for (int b = 0; b < l.blocks; ++b) {
        TimedOp& t = op(OpKind::mma);
        t.instruction = step;
        t.write = part(written(), b, l.blocks);
        t.read = {operands[0], operands[1], k == 0 ? part(operands[2], b, l.blocks) : t.write, {}};
      }
    if (l.widens_c || l.narrows_d)
      for (int n = 0; n < 4; ++n) whole(OpKind::integer);
  }

  // Control

  void control() {
    const std::string& name = i_->opcode;
    if (name == "bar" || name == "barrier") return barrier();
    if (name == "cp") return groups();
    whole(name == "ret" || name == "exit" || name == "trap" ? OpKind::exit : OpKind::branch);
  }

  void barrier() {
    if (i_->has("warp")) return whole(OpKind::integer);
    access_ = int(ops_.size());
    TimedOp& t = op(i_->has("arrive") ? OpKind::arrive : OpKind::barrier);
    set_reads(t, reads_);
    if (i_->has("red")) {
      TimedOp& result = op(OpKind::integer);
      result.write = written();
    }
  }

  void groups() {
    if (i_->has("mbarrier")) return memory();
    if (!i_->has("wait_group")) op(OpKind::commit_group);  // wait_all commits what is open
    if (i_->has("commit_group")) return;
    TimedOp& t = op(OpKind::wait_group);
    if (i_->has("wait_group") && !i_->operands.empty())
      t.argument = int(std::clamp<std::int64_t>(i_->operands[0].integer, 0, 1 << 20));
  }

  const ptx::Function& f_;
  const Values& v_;
  const Registers& r_;
  std::vector<TimedOp>& ops_;
  const Instruction* i_ = nullptr;
  int position_ = 0, access_ = -1, accesses_ = 1;
  std::vector<RegisterRange> reads_, writes_;
};

}  // namespace

LoweredFunction::LoweredFunction(const ptx::Function& function, const isa::Machine& machine)
    : blocks_(find_blocks(function)) {
  const Values values = find_values(function, blocks_);
  const std::vector<int> order = block_order(function, blocks_, values, machine);
  const Registers registers = give_registers(function, values, live_ranges(function, blocks_, values, order));
  registers_ = registers.used;
  Lowering lowering(function, values, registers, ops_);
  for (int p = 0; p < int(function.code.size()); ++p) lowered_.push_back(lowering.lower(p));
  for (int n = 0; n < int(order.size()); ++n) lowered_[std::size_t(order[std::size_t(n)])].rank = n;
}

}  // namespace twofour::emu::profile
