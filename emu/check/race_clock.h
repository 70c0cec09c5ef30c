#pragma once
// A vector clock over the warps of a block and the copies (cp.async) of their lanes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace twofour::emu::check {

/// Number of a warp instruction in its block, from 1; 0: before all.
using Step = std::uint32_t;

/// For each warp the step up to which its accesses come first, then for each lane of each warp the step up to
/// which its copies do. Components that were never set are 0; copies take no room until one is set.
class Clock {
 public:
  Clock() = default;
  explicit Clock(int warps) : warps_(std::size_t(warps)) {}

  Step warp(int w) const { return std::size_t(w) < steps_.size() ? steps_[std::size_t(w)] : 0; }
  Step copies(int w, int lane) const {
    const std::size_t at = place(w, lane);
    return at < steps_.size() ? steps_[at] : 0;
  }
  bool has_copies() const { return steps_.size() > warps_; }
  void set_warp(int w, Step step) {
    if (steps_.empty()) steps_.resize(warps_);
    steps_[std::size_t(w)] = step;
  }
  void raise_copies(int w, int lane, Step step) {
    if (!has_copies()) steps_.resize(warps_ * 33);
    Step& s = steps_[place(w, lane)];
    s = std::max(s, step);
  }
  void join(const Clock& other) {
    if (steps_.size() < other.steps_.size()) steps_.resize(other.steps_.size());
    for (std::size_t i = 0; i < other.steps_.size(); ++i) steps_[i] = std::max(steps_[i], other.steps_[i]);
  }
  void clear() { steps_.clear(); }

 private:
  std::size_t place(int w, int lane) const { return warps_ + std::size_t(w) * 32 + std::size_t(lane); }
  std::size_t warps_ = 0;
  std::vector<Step> steps_;
};

}  // namespace twofour::emu::check
