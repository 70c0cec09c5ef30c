#pragma once
// The order of a warp's lanes among themselves, and the cp.async groups of each lane.
//
// Since sm_70 lanes of a warp run on their own: only bar.warp.sync, and what orders the whole warp (barriers
// of the block, atomics, mbarriers), makes an access of one lane come before a later one of another. Other
// .sync instructions of the whole warp (shfl, mma, ldmatrix, ...) order no memory (PTX says so of shfl and
// vote), but a lane that comes there has read what it read before: reads before one come before writes after
// it.
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "twofour/emu/check/race_clock.h"

namespace twofour::emu::check {

class LaneOrder {
 public:
  /// All accesses up to this step come before those of every lane from now on.
  void all_ordered(Step step);
  /// The same for the copies of a lane.
  void copies_ordered(int lane, Step step);
  /// bar.warp.sync of these lanes.
  void sync(std::uint32_t lanes, Step now);
  /// All lanes execute another .sync instruction at this step.
  void meet(Step now) { last_event_ = met_ = now - 1; }

  /// Lanes of `earlier`, which accessed at `step`, that one of `lanes` does not come after. A lane comes
  /// after itself. `write_after_read`: the earlier access is a read and the other a write.
  std::uint32_t unordered(Step step, std::uint32_t earlier, std::uint32_t lanes, bool write_after_read) const;
  /// Lanes of `earlier` such that one of `lanes` comes after them; reads that these read again may forget.
  std::uint32_t covered(Step step, std::uint32_t earlier, std::uint32_t lanes) const;
  /// No order among lanes began after this step.
  Step last_event() const { return last_event_; }
  bool all_met(Step step) const { return step <= ordered_ || step <= met_; }

  /// Every copy that a lane began up to now is a group of its own for each of these lanes.
  void commit(std::uint32_t lanes, Step now);
  /// Waits until at most `left` of the lane's youngest groups are not done; the step up to which its copies
  /// are.
  Step wait_group(int lane, std::uint64_t left);
  Step waited(int lane) const { return waited_[std::size_t(lane)]; }
  /// Copies of `lane` that began at `step` are done, and all of `lanes` come after the wait.
  bool copied(Step step, int lane, std::uint32_t lanes) const;
  /// A copy landed though this warp did not wait: an mbarrier did.
  void landed(int lane, Step step);
  /// Nobody waited for the copies that this lane began at `step`.
  bool pending(Step step, int lane) const { return step > landed_[std::size_t(lane)]; }

 private:
  using Row = std::array<Step, 32>;
  /// Of syncs of some lanes: [lane][other]: the other's accesses, and copies, up to here come before the
  /// lane.
  struct Partial {
    std::array<Row, 32> accesses = {}, copies = {};
  };
  struct Group {
    Step end;
    std::uint32_t lanes;
  };

  Step ordered_ = 0, met_ = 0, last_event_ = 0;
  std::unique_ptr<Partial> partial_;
  Row waited_ = {}, landed_ = {}, copies_ordered_ = {};
  std::vector<Group> groups_;
};

}  // namespace twofour::emu::check
