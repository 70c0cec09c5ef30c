#pragma once
#include <array>
#include <string>
#include <vector>

#include "twofour/emu/timing/sm_events.h"
#include "twofour/emu/timing/sm_pipeline.h"

namespace twofour::emu {

/// Passes every event to several listeners.
class SmListeners : public SmListener {
 public:
  void add(SmListener& listener) { listeners_.push_back(&listener); }
  void on_issue(const IssueEvent& e) override {
    for (auto* l : listeners_) l->on_issue(e);
  }
  void on_stall(const StallEvent& e) override {
    for (auto* l : listeners_) l->on_stall(e);
  }
  void on_copy(const CopyEvent& e) override {
    for (auto* l : listeners_) l->on_copy(e);
  }
  void on_pipe(const PipeEvent& e) override {
    for (auto* l : listeners_) l->on_pipe(e);
  }
  void on_cta(const CtaEvent& e) override {
    for (auto* l : listeners_) l->on_cta(e);
  }

 private:
  std::vector<SmListener*> listeners_;
};

/// Sums over a run. The views print it.
struct SmReport {
  SmTotals totals;
  std::array<std::int64_t, stalls> stall_cycles{};  ///< warps waiting, summed over cycles, by reason
  std::array<double, pipes> busy_cycles{};          ///< summed over the sub-cores that have the pipe
  int sub_cores = 4;

  double ipc() const;
  /// Share of the run in which the pipe works: mean of the sub-cores.
  double utilisation(Pipe pipe) const;
  /// The busiest pipe, issue slots aside.
  Pipe busiest() const;
  /// The reason with most cycles; `wait` if no warp ever waited.
  Stall dominant_stall() const;
  /// "tensor pipe" where a pipe works 95 % of the time or more, else "latency: wait (tensor pipe 91 % busy)".
  std::string bound() const;
};

class SmCounter : public SmListener {
 public:
  explicit SmCounter(const SmParameters& parameters);
  void on_stall(const StallEvent& e) override {
    report_.stall_cycles[static_cast<std::size_t>(e.reason)] += e.to - e.from;
  }
  void on_pipe(const PipeEvent& e) override { busy_[static_cast<std::size_t>(e.pipe)] += e.busy; }
  SmReport report(const SmTotals& totals) const;

 private:
  SmReport report_;
  std::array<Ticks, pipes> busy_{};
};

}  // namespace twofour::emu
