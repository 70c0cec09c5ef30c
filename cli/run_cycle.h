#pragma once
// --exec-mode cycle of `twofour run`: the time of a launch.
#include <memory>
#include <nlohmann/json.hpp>

#include "twofour/emu/ptx/observer.h"
#include "twofour/isa/machine.h"

namespace twofour::cli {

/// Whether --exec-mode says "cycle" ("functional": false). Throws Error for anything else.
bool cycle_mode();

/// Times the launches of a device, and shows the last one as --view and --trace ask.
class CycleRun {
 public:
  explicit CycleRun(const isa::Machine& machine);
  ~CycleRun();
  CycleRun(const CycleRun&) = delete;
  CycleRun& operator=(const CycleRun&) = delete;

  emu::ptx::Observer& observer();
  /// As text on stdout.
  void print() const;
  /// {"cycle": {...}}
  nlohmann::ordered_json json() const;
  /// --trace: writes the file, if it names one.
  void write_trace() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace twofour::cli
