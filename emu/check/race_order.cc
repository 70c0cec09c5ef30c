#include "twofour/emu/check/race_order.h"

#include <bit>

namespace twofour::emu::check {

using ptx::for_lanes;

void RaceOrder::begin(int warps) {
  warps_ = warps;
  now_ = 0;
  const auto count = std::size_t(warps);
  clocks_.assign(count, Clock(warps));
  lanes_.clear();
  lanes_.resize(count);
  fenced_.assign(count, {Clock(warps), Clock(warps)});
  barriers_.fill(Clock(warps));
  words_.clear();
  mbarriers_.clear();
}

void RaceOrder::release(int warp, Clock& to) {
  Clock& mine = clocks_[std::size_t(warp)];
  mine.set_warp(warp, now_);
  to.join(mine);
}

void RaceOrder::acquire(int warp, const Clock& from) {
  clocks_[std::size_t(warp)].join(from);
  LaneOrder& mine = lanes_[std::size_t(warp)];
  mine.all_ordered(from.warp(warp));
  if (!from.has_copies()) return;
  for (int l = 0; l < ptx::lanes_of_warp; ++l) mine.copies_ordered(l, from.copies(warp, l));
}

void RaceOrder::arrive(int warp, std::uint32_t id) {
  if (id < barriers_.size()) release(warp, barriers_[id]);
}

void RaceOrder::leave(std::uint32_t id, std::span<const int> warps, std::span<const int> ended) {
  Clock& b = barriers_.at(id);
  for (const int w : ended) release(w, b);
  for (const int w : warps) acquire(w, b);
  b.clear();
}

void RaceOrder::fence(int warp) {
  Fenced& f = fenced_[std::size_t(warp)];
  acquire(warp, f.seen);
  f.seen.clear();
  release(warp, f.released);
}

void RaceOrder::atomic(int warp, std::uint32_t word) {
  Clock& c = words_.try_emplace(word, warps_).first->second;
  acquire(warp, c);
  release(warp, c);
}

void RaceOrder::strong_load(int warp, std::uint32_t word, bool acquires) {
  const auto c = words_.find(word);
  if (c == words_.end()) return;
  if (acquires)
    acquire(warp, c->second);
  else
    fenced_[std::size_t(warp)].seen.join(c->second);
}

void RaceOrder::strong_store(int warp, std::uint32_t word, bool releases) {
  Clock& c = words_.try_emplace(word, warps_).first->second;
  c.clear();
  if (releases)
    release(warp, c);
  else
    c.join(fenced_[std::size_t(warp)].released);
}

void RaceOrder::mbarrier_init(std::uint64_t at, std::uint64_t count) {
  mbarriers_.insert_or_assign(at, Mbarrier{count, count, 0, Clock(warps_), Clock(warps_)});
}

void RaceOrder::complete(Mbarrier& m) {
  if (m.pending != 0 || m.bytes != 0) return;
  m.passed = m.gathered;
  m.gathered.clear();
  m.pending = m.expected;
  if (!m.passed.has_copies()) return;
  for (int w = 0; w < warps_; ++w)
    for (int l = 0; l < ptx::lanes_of_warp; ++l) lanes_[std::size_t(w)].landed(l, m.passed.copies(w, l));
}

void RaceOrder::mbarrier_arrive(int warp, std::uint64_t at, const MbarrierArrival& arrival) {
  const auto found = mbarriers_.find(at);
  if (found == mbarriers_.end()) return;
  Mbarrier& m = found->second;
  if (arrival.releases) release(warp, m.gathered);
  m.pending -= std::min(m.pending, arrival.count);
  if (arrival.drops) m.expected -= std::min(m.expected, arrival.count);
  m.bytes += arrival.bytes;
  complete(m);
}

void RaceOrder::mbarrier_copies(int warp, int lane, std::uint64_t at, bool counts) {
  const auto found = mbarriers_.find(at);
  if (found == mbarriers_.end()) return;
  found->second.gathered.raise_copies(warp, lane, now_);
  mbarrier_arrive(warp, at, {.count = counts ? 1u : 0u});
}

void RaceOrder::mbarrier_passed(int warp, std::uint64_t at) {
  if (const auto found = mbarriers_.find(at); found != mbarriers_.end()) acquire(warp, found->second.passed);
}

void RaceOrder::sync_lanes(int warp, std::uint32_t lanes, bool all) {
  LaneOrder& mine = lanes_[std::size_t(warp)];
  if (!all) return mine.sync(lanes, now_);
  mine.all_ordered(now_);
  for (int l = 0; l < ptx::lanes_of_warp; ++l) mine.copies_ordered(l, mine.waited(l));
}

void RaceOrder::wait_group(int warp, std::uint32_t lanes, std::uint64_t left) {
  for_lanes(lanes, [&](int l) {
    const Step done = lanes_[std::size_t(warp)].wait_group(l, left);
    if (done != 0) clocks_[std::size_t(warp)].raise_copies(warp, l, done);
  });
}

std::uint32_t RaceOrder::unordered(const Access& earlier, const Access& later) const {
  const LaneOrder& mine = lanes_[std::size_t(later.warp)];
  if (earlier.copy) {
    const int lane = std::countr_zero(earlier.lanes);
    const bool done = earlier.warp == later.warp
                          ? mine.copied(earlier.step, lane, later.lanes)
                          : clocks_[std::size_t(later.warp)].copies(earlier.warp, lane) >= earlier.step;
    return done ? 0 : earlier.lanes;
  }
  if (earlier.warp != later.warp) return before(earlier, later.warp) ? 0 : earlier.lanes;
  return mine.unordered(earlier.step, earlier.lanes, later.lanes, !earlier.writes && later.writes);
}

bool RaceOrder::pending(const Access& copy) const {
  return lanes_[std::size_t(copy.warp)].pending(copy.step, std::countr_zero(copy.lanes));
}

}  // namespace twofour::emu::check
