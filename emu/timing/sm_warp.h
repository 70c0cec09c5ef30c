#pragma once
#include <array>
#include <deque>

#include "twofour/emu/timing/sm_events.h"
#include "twofour/emu/timing/sm_stream.h"

namespace twofour::emu {

inline constexpr Ticks never = std::int64_t(1) << 62;

/// Walks a stream operation by operation.
class StreamCursor {
 public:
  StreamCursor() = default;
  explicit StreamCursor(const WarpStream& stream) : stream_(&stream) { settle(); }
  /// The operation at hand; null at the end.
  const TimedOp* op() const { return op_; }
  std::int64_t index() const { return index_; }
  void advance() {
    ++index_;
    const auto& ops = (*stream_)[segment_].ops;
    if (++at_ < ops.size()) {
      op_ = &ops[at_];
      return;
    }
    at_ = 0;
    if (++repeat_ >= (*stream_)[segment_].repeats) {
      repeat_ = 0;
      ++segment_;
    }
    settle();
  }

 private:
  void settle() {
    while (segment_ < stream_->size() &&
           ((*stream_)[segment_].ops.empty() || (*stream_)[segment_].repeats <= 0))
      ++segment_;
    op_ = segment_ < stream_->size() ? &(*stream_)[segment_].ops[0] : nullptr;
  }

  const WarpStream* stream_ = nullptr;
  std::size_t segment_ = 0, at_ = 0;
  std::int64_t repeat_ = 0, index_ = 0;
  const TimedOp* op_ = nullptr;
};

/// cp.async of a warp, by group.
class CopyGroups {
 public:
  /// A copy starts; returns the number of its group.
  std::int64_t start();
  void commit() { ++committed_; }
  void land(std::int64_t group, Ticks complete);
  /// When all but the last `pending` committed groups have landed; `never` while that is not known.
  Ticks ready(int pending) const;

 private:
  struct Group {
    int in_flight = 0;
    Ticks complete = 0;
  };
  std::deque<Group> groups_;  ///< from first_ on
  std::int64_t first_ = 0, committed_ = 0;
  Ticks landed_ = 0;  ///< of the groups before first_
};

/// A warp that resides in an SM, and when the operation at its head may issue.
struct WarpState {
  static constexpr int registers = 256 + 8;  ///< predicates last

  WarpState(WarpId who, std::int64_t order, const WarpStream& stream, std::int64_t cycle);

  /// Finds `operands` and `why` for the operation at hand.
  void look();
  /// The registers hold their values from `ready` on.
  void write(RegisterRange range, Ticks ready, Stall reason);

  WarpId id;
  std::int64_t age;  ///< order of launch
  StreamCursor cursor;
  std::int64_t last_issue;  ///< cycle; before the launch at first
  Ticks operands = 0;       ///< the operation at hand has what it reads, its queue or pipe aside
  Stall why = Stall::wait;  ///< what `operands` waits for
  Ticks floor = 0;          ///< no issue before: branch, barrier, launch
  Stall floor_reason = Stall::wait;
  int barrier = -1;        ///< that it waits at; -1: none
  RegisterRange last_mma;  ///< D of the mma that issued last
  Ticks forwarding = 0;    ///< what an mma saves that takes C from it
  CopyGroups copies;

 private:
  void need(RegisterRange range, Ticks saved);

  std::array<Ticks, registers> ready_{};
  std::array<Stall, registers> reason_{};
};

}  // namespace twofour::emu
