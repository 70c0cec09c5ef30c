#include "twofour/emu/timing/sm_sub_core.h"

#include "twofour/emu/timing/sm_memory.h"
#include "twofour/isa/error.h"
#include "twofour/isa/issue_timing.h"

namespace twofour::emu {

MmaTimes::MmaTimes(const isa::Machine& machine) : machine_(machine), times_(isa::instructions().size()) {}

MmaTimes::Times MmaTimes::operator()(const isa::Instruction& i) {
  const auto row = static_cast<std::size_t>(&i - isa::instructions().data());
  if (row >= times_.size()) fail("SM pipeline: {} is no row of the table", isa::short_name(i));
  Times& t = times_[row];
  if (t.interval == 0) {
    const auto timing = isa::issue_timing(i, machine_);
    t = {to_ticks(timing.effective_interval), to_ticks(timing.latency)};
  }
  return t;
}

Ticks SubCore::free_at(OpKind kind) const {
  switch (kind) {
    case OpKind::mma: return tensor;
    case OpKind::ldmatrix:
    case OpKind::load_shared:
    case OpKind::store_shared: return shared.free_at();
    case OpKind::load_global:
    case OpKind::store_global:
    case OpKind::cp_async: return global.free_at();
    case OpKind::integer: return integer;
    case OpKind::fp32: return fp32;
    case OpKind::fp64: return fp64;
    case OpKind::special: return special;
    default: return 0;
  }
}

Stall throttle(OpKind kind) {
  switch (kind) {
    case OpKind::ldmatrix:
    case OpKind::load_shared:
    case OpKind::store_shared: return Stall::mio_throttle;
    case OpKind::load_global:
    case OpKind::store_global:
    case OpKind::cp_async: return Stall::lg_throttle;
    default: return Stall::math_pipe_throttle;
  }
}

}  // namespace twofour::emu
