#include "twofour/emu/timing/sm_warp.h"

#include <algorithm>

#include "twofour/isa/error.h"

namespace twofour::emu {

std::int64_t CopyGroups::start() {
  while (first_ + static_cast<std::int64_t>(groups_.size()) <= committed_) groups_.emplace_back();
  ++groups_.back().in_flight;
  return committed_;
}

void CopyGroups::land(std::int64_t group, Ticks complete) {
  Group& g = groups_[static_cast<std::size_t>(group - first_)];
  --g.in_flight;
  g.complete = std::max(g.complete, complete);
  while (first_ < committed_ && !groups_.empty() && groups_.front().in_flight == 0) {
    landed_ = std::max(landed_, groups_.front().complete);
    groups_.pop_front();
    ++first_;
  }
}

Ticks CopyGroups::ready(int pending) const {
  Ticks ready = landed_;
  const std::int64_t end = committed_ - pending;
  for (std::int64_t g = first_; g < end && g - first_ < static_cast<std::int64_t>(groups_.size()); ++g) {
    const Group& group = groups_[static_cast<std::size_t>(g - first_)];
    if (group.in_flight > 0) return never;
    ready = std::max(ready, group.complete);
  }
  return ready;
}

WarpState::WarpState(WarpId who, std::int64_t order, const WarpStream& stream, std::int64_t cycle)
    : id(who), age(order), cursor(stream), last_issue(cycle - 1), floor(cycle * ticks_per_cycle) {
  look();
}

void WarpState::need(RegisterRange range, Ticks saved) {
  if (range.first + range.count > registers)
    fail("SM pipeline: an operation names register {}; a lane has {} and 8 predicates",
         range.first + range.count - 1, registers - 8);
  for (int r = range.first; r < range.first + range.count; ++r) {
    const auto at = static_cast<std::size_t>(r);
    if (ready_[at] - saved > operands) {
      operands = ready_[at] - saved;
      why = reason_[at];
    }
  }
}

void WarpState::look() {
  operands = floor;
  why = floor_reason;
  const TimedOp* op = cursor.op();
  if (op == nullptr) return;
  if (barrier >= 0) {
    operands = never;
    why = Stall::barrier;
    return;
  }
  if (op->kind == OpKind::wait_group) {
    const Ticks landed = copies.ready(op->argument);
    if (landed > operands) {
      operands = landed;
      why = Stall::long_scoreboard;
    }
    return;
  }
  const auto saved = [&](RegisterRange range) { return range == last_mma ? forwarding : 0; };
  const bool mma = op->kind == OpKind::mma;
  for (std::size_t i = 0; i < op->read.size(); ++i) need(op->read[i], mma && i == 2 ? saved(op->read[i]) : 0);
  need(op->write, mma ? saved(op->write) : 0);
}

void WarpState::write(RegisterRange range, Ticks ready, Stall reason) {
  for (int r = range.first; r < range.first + range.count; ++r) {
    ready_[static_cast<std::size_t>(r)] = ready;
    reason_[static_cast<std::size_t>(r)] = reason;
  }
}

}  // namespace twofour::emu
