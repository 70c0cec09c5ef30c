#include "twofour/emu/kernel/warp_op.h"

#include <algorithm>
#include <vector>

#include "twofour/emu/timing/bank_conflicts.h"

namespace twofour::emu {
namespace {

/// Distinct numbers among `values`.
template <class T>
int distinct(std::vector<T>& values) {
  std::sort(values.begin(), values.end());
  return int(std::unique(values.begin(), values.end()) - values.begin());
}

int wavefronts(const WarpOp& op) {
  if (op.active == 0) return 0;
  if (op.kind == OpKind::ldmatrix) return ldmatrix_wavefronts(op.shared, op.instruction->movement.matrices);
  return shared_wavefronts(op.shared, op.bytes, op.active);
}

int sector_bytes(const WarpOp& op) {
  std::vector<std::int64_t> sectors;
  for (int lane = 0; lane < warp_lanes; ++lane)
    if (op.reads_global(lane)) sectors.push_back(op.global[std::size_t(lane)] / 32);
  return 32 * distinct(sectors);
}

}  // namespace

TimedOp timed(const WarpOp& op) {
  TimedOp t;
  t.kind = op.kind;
  t.instruction = op.instruction;
  t.write = op.write;
  t.read = op.read;
  t.line = op.line;
  switch (op.kind) {
    case OpKind::ldmatrix:
    case OpKind::load_shared:
    case OpKind::store_shared: t.wavefronts = wavefronts(op); break;
    case OpKind::cp_async: t.wavefronts = wavefronts(op); [[fallthrough]];
    case OpKind::load_global:
    case OpKind::store_global: t.bytes = sector_bytes(op); break;
    case OpKind::wait_group: t.argument = op.argument; break;
    default: break;
  }
  return t;
}

}  // namespace twofour::emu
