#pragma once
#include <fmt/format.h>

#include <set>
#include <string>

#include "twofour/emu/timing/sm_events.h"

namespace twofour::emu {

/// Writes what happens as a Chrome trace-event file (JSON), which ui.perfetto.dev opens: a track a warp with
/// its waits and issues, a track a pipe. One microsecond of the trace is one cycle. After `limit` events it
/// keeps no more, and says so in the file.
class ChromeTrace : public SmListener {
 public:
  explicit ChromeTrace(std::size_t limit = 200000) : limit_(limit) {}
  void on_issue(const IssueEvent& e) override;
  void on_stall(const StallEvent& e) override;
  void on_copy(const CopyEvent& e) override;
  void on_pipe(const PipeEvent& e) override;
  void on_cta(const CtaEvent& e) override;
  /// The whole file.
  std::string json() const;
  bool capped() const { return events_ > limit_; }

 private:
  void add(const std::string& event);
  void name_track(int process, int track, const std::string& name);

  std::size_t limit_, events_ = 0;
  std::string text_, names_;
  std::set<std::pair<int, int>> named_;
};

}  // namespace twofour::emu
