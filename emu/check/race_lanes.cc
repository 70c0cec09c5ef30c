#include "twofour/emu/check/race_lanes.h"

#include "twofour/emu/ptx/warp.h"

namespace twofour::emu::check {

using ptx::for_lanes;

namespace {

constexpr std::size_t most_groups = 2048;  // kept; older ones count as not waited for

}  // namespace

void LaneOrder::all_ordered(Step step) {
  ordered_ = std::max(ordered_, step);
  last_event_ = std::max(last_event_, step);
}

void LaneOrder::copies_ordered(int lane, Step step) {
  Step& s = copies_ordered_[std::size_t(lane)];
  s = std::max(s, step);
  waited_[std::size_t(lane)] = std::max(waited_[std::size_t(lane)], step);
}

void LaneOrder::sync(std::uint32_t lanes, Step now) {
  if (partial_ == nullptr) partial_ = std::make_unique<Partial>();
  last_event_ = now;
  Row accesses = {}, copies = {};
  for_lanes(lanes, [&](int l) {
    const auto lane = std::size_t(l);
    partial_->accesses[lane][lane] = now;
    partial_->copies[lane][lane] = waited_[lane];
    for (std::size_t k = 0; k < 32; ++k) {
      accesses[k] = std::max(accesses[k], partial_->accesses[lane][k]);
      copies[k] = std::max(copies[k], partial_->copies[lane][k]);
    }
  });
  for_lanes(lanes, [&](int l) {
    partial_->accesses[std::size_t(l)] = accesses;
    partial_->copies[std::size_t(l)] = copies;
  });
}

std::uint32_t LaneOrder::unordered(Step step, std::uint32_t earlier, std::uint32_t lanes,
                                   bool write_after_read) const {
  if (step <= ordered_ || (write_after_read && step <= met_)) return 0;
  std::uint32_t found = 0;
  for_lanes(earlier, [&](int m) {
    const std::uint32_t others = lanes & ~(1u << m);
    if (partial_ == nullptr) {
      found |= std::uint32_t(others != 0) << m;
      return;
    }
    for_lanes(others, [&](int l) {
      found |= std::uint32_t(partial_->accesses[std::size_t(l)][std::size_t(m)] < step) << m;
    });
  });
  return found;
}

std::uint32_t LaneOrder::covered(Step step, std::uint32_t earlier, std::uint32_t lanes) const {
  if (all_met(step)) return earlier;
  std::uint32_t found = earlier & lanes;
  if (partial_ == nullptr) return found;
  for_lanes(earlier & ~lanes, [&](int m) {
    for_lanes(lanes, [&](int l) {
      found |= std::uint32_t(partial_->accesses[std::size_t(l)][std::size_t(m)] >= step) << m;
    });
  });
  return found;
}

void LaneOrder::commit(std::uint32_t lanes, Step now) {
  if (groups_.size() == most_groups) groups_.erase(groups_.begin(), groups_.begin() + most_groups / 2);
  groups_.push_back({now, lanes});
}

Step LaneOrder::wait_group(int lane, std::uint64_t left) {
  Step& done = waited_[std::size_t(lane)];
  for (auto g = groups_.rbegin(); g != groups_.rend(); ++g) {
    if ((g->lanes >> lane & 1) == 0) continue;
    if (left-- != 0) continue;
    done = std::max(done, g->end);
    break;
  }
  landed(lane, done);
  return done;
}

void LaneOrder::landed(int lane, Step step) {
  Step& s = landed_[std::size_t(lane)];
  s = std::max(s, step);
}

bool LaneOrder::copied(Step step, int lane, std::uint32_t lanes) const {
  const auto from = std::size_t(lane);
  if (step <= copies_ordered_[from]) return true;
  bool all = true;
  for_lanes(lanes, [&](int l) {
    all &= l == lane ? step <= waited_[from]
                     : partial_ != nullptr && step <= partial_->copies[std::size_t(l)][from];
  });
  return all;
}

}  // namespace twofour::emu::check
