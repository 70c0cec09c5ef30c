#include "twofour/emu/kernel/warp_op.h"

#include <algorithm>
#include <vector>

namespace twofour::emu {
namespace {

/// Distinct numbers among `values`.
template <class T>
int distinct(std::vector<T>& values) {
  std::sort(values.begin(), values.end());
  return int(std::unique(values.begin(), values.end()) - values.begin());
}

/// Passes of lanes first .. first + count - 1: the most 32-bit words that one bank holds of them.
int passes(const WarpOp& op, int first, int count, int bytes) {
  std::vector<std::uint32_t> words;
  for (int lane = first; lane < first + count; ++lane)
    if (op.is_active(lane))
      for (int b = 0; b < std::max(bytes, 4); b += 4)
        words.push_back(op.shared[std::size_t(lane)] / 4 + b / 4);
  words.resize(std::size_t(distinct(words)));
  std::array<int, 32> in_bank{};
  for (std::uint32_t word : words) ++in_bank[word % 32];
  return *std::max_element(in_bank.begin(), in_bank.end());
}

/// Lanes go through the banks 128 bytes at a time: 32 lanes of 4 bytes, 16 of 8, 8 of 16; ldmatrix one matrix
/// at a time.
int wavefronts(const WarpOp& op) {
  if (op.kind == OpKind::ldmatrix) {
    int sum = 0;
    for (int j = 0; j < op.instruction->movement.matrices; ++j) sum += passes(op, 8 * j, 8, 16);
    return sum;
  }
  const int lanes = std::min(128 / op.bytes, warp_lanes);
  int sum = 0;
  for (int first = 0; first < warp_lanes; first += lanes) sum += passes(op, first, lanes, op.bytes);
  return sum;
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
