#pragma once
#include <array>
#include <string>
#include <vector>

#include "twofour/emu/timing/sm_events.h"

namespace twofour::emu {

/// One instruction of one warp: when it waited, and for what, when it issued and when its result came.
struct TimelineRow {
  WarpId warp;
  std::int64_t index;
  TimedOp op;
  std::array<std::int64_t, stalls> waited{};  ///< cycles by reason
  std::vector<StallEvent> waits;              ///< in order of time
  std::int64_t issue = 0, complete = -1;      ///< cycles; complete -1: it has none, or came after the window
};

/// Keeps the instructions that issue from cycle `from` on, at most `rows` of them, by warp and index.
class Timeline : public SmListener {
 public:
  Timeline(std::int64_t from, std::size_t rows) : from_(from), limit_(rows) {}
  void on_stall(const StallEvent& e) override;
  void on_issue(const IssueEvent& e) override;
  void on_copy(const CopyEvent& e) override;
  /// Sorted by warp, then by index.
  std::vector<TimelineRow> rows() const;
  bool capped() const { return capped_; }

 private:
  std::int64_t from_;
  std::size_t limit_;
  bool capped_ = false;
  std::vector<StallEvent> pending_;  ///< of the instruction that issues next
  std::vector<TimelineRow> rows_;
};

/// The rows as text: a line an instruction with a bar over the cycles from the first issue on, at most
/// `columns` of them. Letters of the bar: where it waits the letter of the reason, I issue, - in flight, R
/// result.
std::string timeline_text(const std::vector<TimelineRow>& rows, int columns);

/// "HMMA.16816.F32", "LDSM.16.M88.4", "cp.async".
std::string op_name(const TimedOp& op);

}  // namespace twofour::emu
