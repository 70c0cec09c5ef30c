#include "twofour/emu/timing/sm_microbench.h"

#include <algorithm>

#include "twofour/isa/error.h"
#include "twofour/isa/issue_timing.h"

namespace twofour::emu {
namespace {

void check(const MmaLoop& loop) {
  if (loop.instruction == nullptr || !loop.instruction->is_tensor_core())
    fail("mma loop: give a Tensor Core instruction: mma or mma.sp, not m8n8k4 of f16");
  if (loop.warps < 1 || loop.warps > 32) fail("mma loop: {} warps; a CTA has 1 to 32", loop.warps);
  if (loop.independent < 1) fail("mma loop: {} independent mma; give at least 1", loop.independent);
  if (loop.iterations < 1) fail("mma loop: {} iterations; give at least 1", loop.iterations);
}

/// Hands out the registers of a lane one after the other.
class Registers {
 public:
  RegisterRange take(int count) {
    if (next_ + count > 255)
      fail("mma loop: so many independent mma need more than the 255 registers of a lane");
    const RegisterRange range{static_cast<std::uint16_t>(next_), static_cast<std::uint16_t>(count)};
    next_ += count;
    return range;
  }

 private:
  int next_ = 0;
};

/// The loop's own instructions stand between mma as far as there are any, as a compiler puts them: count
/// after the first, compare after the second, branch at the end.
std::vector<TimedOp> loop_body(const MmaLoop& loop) {
  const isa::Instruction& i = *loop.instruction;
  Registers lane;
  const RegisterRange counter = lane.take(1), predicate = lane.take(1);
  const RegisterRange a = lane.take(registers(i, isa::Operand::a)),
                      b = lane.take(registers(i, isa::Operand::b));
  const RegisterRange metadata = lane.take(i.is_sparse() ? 1 : 0);
  std::vector<TimedOp> body;
  for (int m = 0; m < loop.independent; ++m) {
    const RegisterRange c = lane.take(registers(i, isa::Operand::c));
    body.push_back({.kind = OpKind::mma, .instruction = &i, .write = c, .read = {a, b, c, metadata}});
  }
  const TimedOp count{.kind = OpKind::integer, .write = counter, .read = {counter}};
  const TimedOp compare{.kind = OpKind::integer, .write = predicate, .read = {counter}};
  body.insert(body.begin() + 1, count);
  body.insert(body.begin() + std::min<std::ptrdiff_t>(3, std::ssize(body)), compare);
  body.push_back({.kind = OpKind::branch, .read = {predicate}});
  for (std::size_t line = 0; line < body.size(); ++line) body[line].line = static_cast<std::uint32_t>(line);
  return body;
}

}  // namespace

MmaLoopStream::MmaLoopStream(const MmaLoop& loop) {
  check(loop);
  body_ = loop_body(loop);
  end_ = {{.kind = OpKind::exit}};
  cta_.assign(static_cast<std::size_t>(loop.warps), {{body_, loop.iterations}, {end_, 1}});
}

MmaLoopTime time_mma_loop(const MmaLoop& loop, const isa::Machine& machine, SmListener* listener,
                          const PipelineConstants& constants) {
  const MmaLoopStream stream(loop);
  const SmParameters parameters{machine, equal_share(machine), constants};
  SmCounter counter(parameters);
  SmListeners listeners;
  listeners.add(counter);
  if (listener != nullptr) listeners.add(*listener);
  const auto totals = run_sm({{&stream.cta()}, 1}, parameters, listeners);
  const isa::Instruction& i = *loop.instruction;
  const double rounds = static_cast<double>(loop.iterations), cycles = static_cast<double>(totals.cycles);
  const double peak = machine.fma_per_clk(i.a, i.c) * (i.is_sparse() ? machine.sparse_rate : 1);
  return {cycles / rounds, i.fma() * rounds * loop.warps * loop.independent / cycles, peak,
          counter.report(totals)};
}

}  // namespace twofour::emu
