#include "twofour/emu/timing/sm_timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace twofour::emu {
namespace {

constexpr std::string_view letters = "wslbrmqgn";  ///< by Stall

std::string legend() {
  std::string text = "I issue, - in flight, R result; waits:";
  for (int s = 0; s < stalls; ++s)
    text += fmt::format(" {} {}{}", letters[static_cast<std::size_t>(s)], name(static_cast<Stall>(s)),
                        s + 1 < stalls ? "," : "\n");
  return text;
}

std::string bar(const TimelineRow& row, std::int64_t from, int columns) {
  std::string text(static_cast<std::size_t>(columns), ' ');
  const auto fill = [&](std::int64_t begin, std::int64_t end, char letter) {
    for (auto c = std::max(begin - from, std::int64_t(0)); c < std::min<std::int64_t>(end - from, columns);
         ++c)
      text[static_cast<std::size_t>(c)] = letter;
  };
  for (const auto& wait : row.waits) fill(wait.from, wait.to, letters[static_cast<std::size_t>(wait.reason)]);
  fill(row.issue + 1, row.complete, '-');
  fill(row.complete, row.complete + 1, 'R');
  fill(row.issue, row.issue + 1, 'I');
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

std::string waits(const TimelineRow& row) {
  std::string text;
  for (int s = 0; s < stalls; ++s)
    if (row.waited[static_cast<std::size_t>(s)] > 0)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name(static_cast<Stall>(s)),
                          row.waited[static_cast<std::size_t>(s)]);
  return text;
}

}  // namespace

void Timeline::on_stall(const StallEvent& e) {
  if (!capped_ && e.to > from_) pending_.push_back(e);
}

void Timeline::on_issue(const IssueEvent& e) {
  if (e.cycle < from_ || capped_) return;
  capped_ = rows_.size() >= limit_;
  if (capped_) return;
  TimelineRow row{e.warp, e.index, *e.op, {}, {}, e.cycle, e.complete};
  row.waits.swap(pending_);  // the simulator reports them just before
  for (const auto& wait : row.waits) row.waited[static_cast<std::size_t>(wait.reason)] += wait.to - wait.from;
  rows_.push_back(std::move(row));
}

void Timeline::on_copy(const CopyEvent& e) {
  for (auto& row : rows_)
    if (row.warp.slot == e.warp.slot && row.warp.cta == e.warp.cta && row.index == e.index)
      row.complete = e.complete;
}

std::vector<TimelineRow> Timeline::rows() const {
  auto sorted = rows_;
  std::sort(sorted.begin(), sorted.end(), [](const TimelineRow& a, const TimelineRow& b) {
    return std::tuple(a.warp.cta, a.warp.warp, a.index) < std::tuple(b.warp.cta, b.warp.warp, b.index);
  });
  return sorted;
}

std::string op_name(const TimedOp& op) {
  if (op.instruction == nullptr) return std::string(name(op.kind));
  return isa::sass_name(*op.instruction);
}

std::string timeline_text(const std::vector<TimelineRow>& rows, int columns) {
  if (rows.empty()) return "no instruction issued in the window\n";
  auto from = rows[0].issue;
  for (const auto& row : rows) from = std::min(from, row.issue);
  std::string text = legend();
  text += fmt::format("{:>4} {:>4} {:>5} {:<20} {:>7} {:>6}  cycles {} to {}\n", "CTA", "warp", "#",
                      "instruction", "issued", "ready", from, from + columns - 1);
  for (const auto& row : rows) {
    text += fmt::format("{:>4} {:>4} {:>5} {:<20} {:>7} {:>6}  ", row.warp.cta, row.warp.warp, row.index,
                        op_name(row.op), row.issue, row.complete < 0 ? "" : std::to_string(row.complete));
    if (row.issue < from + columns) text += fmt::format("|{}", bar(row, from, columns));
    const auto reasons = waits(row);
    text += reasons.empty() ? "\n" : fmt::format("  <- {}\n", reasons);
  }
  return text;
}

}  // namespace twofour::emu
