#include "twofour/emu/kernel/warp_program.h"

#include <algorithm>

#include "twofour/emu/kernel/lowering.h"

namespace twofour::emu {
namespace {

/// Instructions before the first copy: kernel parameters, tile of the CTA, pointers and predicates of every
/// copy. A count of the right size, not of one compiler.
constexpr int setup_ops = 40, setup_ops_per_copy = 8;
/// At the end of a k-chunk: the ring of stages to read and to write, the counter and its test.
constexpr int loop_ops = 6;

/// mma one after the other, with the other instructions of the step between them, first come first.
void interleave(WarpOps& out, const WarpOps& mmas, const WarpOps& others) {
  const std::size_t rate = (others.size() + mmas.size() - 1) / mmas.size();
  std::size_t next = 0;
  for (const WarpOp& mma : mmas) {
    out.push_back(mma);
    for (std::size_t i = 0; i < rate && next < others.size(); ++i) out.push_back(others[next++]);
  }
}

void add_copies(WarpOps& ops, const WarpPlace& at, int chunk, int first, int last) {
  for (int index = first; index < last; ++index) add_copy(ops, at, chunk, index);
}

/// The k-chunk that was fetched longest ago becomes readable.
void add_next_stage(WarpOps& ops, const Kernel& k) {
  add_simple(ops, OpKind::wait_group, k.schedule.tile.stages - 2);
  add_simple(ops, OpKind::barrier);
}

}  // namespace

WarpOp arithmetic(OpKind kind, Action action, int write, std::initializer_list<int> read) {
  WarpOp op;
  op.kind = kind;
  op.action = action;
  op.write = range(write, 1);
  std::size_t at = 0;
  for (int r : read) op.read[at++] = range(r, 1);
  return op;
}

void add_bookkeeping(WarpOps& ops, int count) {
  for (int i = 0; i < count; ++i) {
    WarpOp op;
    op.write = range(4 + i % 16, 1);
    ops.push_back(op);
  }
}

void add_simple(WarpOps& ops, OpKind kind, int argument) {
  WarpOp op;
  op.kind = kind;
  op.argument = argument;
  ops.push_back(op);
}

WarpProgram::WarpProgram(const Kernel& kernel, const Work& work, int warp)
    : k_(kernel),
      work_(work),
      warp_(warp),
      prologue_lines_(prologue().size()),
      loop_lines_(main_loop(0).size()) {}

WarpOps WarpProgram::segment(int index) const {
  WarpOps ops;
  std::size_t line = 1;
  if (index == 0) {
    ops = prologue();
  } else if (index <= chunks()) {
    ops = main_loop(index - 1);
    line += prologue_lines_;
  } else {
    add_epilogue(ops, {k_, work_, warp_});
    line += prologue_lines_ + loop_lines_;
  }
  for (WarpOp& op : ops) op.line = std::uint32_t(line++);
  return ops;
}

WarpOps WarpProgram::prologue() const {
  const WarpPlace at{k_, work_, warp_};
  WarpOps ops;
  const int copies = copies_per_chunk(k_);
  add_bookkeeping(ops, setup_ops);
  if (chunks() == 0) return ops;
  add_bookkeeping(ops, setup_ops_per_copy * copies);
  for (int chunk = 0; chunk < k_.schedule.tile.stages - 1; ++chunk) {
    add_copies(ops, at, chunk, 0, copies);
    add_simple(ops, OpKind::commit_group);
  }
  add_accumulators(ops, at);
  add_next_stage(ops, k_);
  add_fragment_loads(ops, at, 0, 0);
  return ops;
}

WarpOps WarpProgram::main_loop(int chunk) const {
  const WarpPlace at{k_, work_, warp_};
  const int fetched = chunk + k_.schedule.tile.stages - 1;
  const int copies = copies_per_chunk(k_);
  const int fetch_steps = std::max(k_.steps - 1, 1), last_fetch = fetch_steps - 1;
  WarpOps ops;
  for (int step = 0; step < k_.steps; ++step) {
    WarpOps mmas, others;
    add_mmas(mmas, at, chunk, step);
    if (step + 1 < k_.steps) add_fragment_loads(others, at, chunk, step + 1);
    if (step < fetch_steps)
      add_copies(others, at, fetched, copies * step / fetch_steps, copies * (step + 1) / fetch_steps);
    const bool single = k_.steps == 1;
    if (single) {
      ops.insert(ops.end(), others.begin(), others.end());
      others.clear();
      add_simple(ops, OpKind::commit_group);
      add_next_stage(ops, k_);
    }
    if (step + 1 == k_.steps) add_fragment_loads(others, at, chunk + 1, 0);
    interleave(ops, mmas, others);
    if (step == last_fetch && !single) {
      add_simple(ops, OpKind::commit_group);
      add_next_stage(ops, k_);
    }
  }
  add_bookkeeping(ops, loop_ops);
  add_simple(ops, OpKind::branch);
  return ops;
}

namespace {

TimedOp barrier_or_exit(OpKind kind) {
  WarpOp op;
  op.kind = kind;
  return timed(op);
}

}  // namespace

std::vector<std::vector<TimedOp>> timed_cta(const Kernel& k, const std::vector<Work>& work) {
  std::vector<std::vector<TimedOp>> streams(std::size_t(k.warps()));
  for (int warp = 0; warp < k.warps(); ++warp) {
    std::vector<TimedOp>& stream = streams[std::size_t(warp)];
    for (std::size_t w = 0; w < work.size(); ++w) {
      if (w > 0) stream.push_back(barrier_or_exit(OpKind::barrier));
      const WarpProgram program(k, work[w], warp);
      for (int s = 0; s < program.segments(); ++s)
        for (const WarpOp& op : program.segment(s)) stream.push_back(timed(op));
    }
    stream.push_back(barrier_or_exit(OpKind::exit));
  }
  return streams;
}

}  // namespace twofour::emu
