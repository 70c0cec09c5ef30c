#pragma once
// --tool, --error-exitcode and --leak-check of `twofour run`.
#include <gflags/gflags_declare.h>

#include <exception>
#include <nlohmann/json.hpp>

#include "twofour/emu/check/checker_set.h"

DECLARE_string(tool);
DECLARE_int32(error_exitcode);
DECLARE_bool(leak_check);

namespace twofour::cli {

/// The checkers of a kernel's launch. Without --tool there are none, and nothing here does anything.
class RunTools {
 public:
  /// Throws Error for unknown tools and for flags without --tool.
  RunTools();

  void watch(emu::ptx::DeviceOptions& options) const { checkers_.watch(options); }
  /// Runs launch(). False if it failed with an Error that says no more than a finding; other Errors pass,
  /// after the report.
  template <class F>
  bool run(F&& launch) const {
    try {
      launch();
      return true;
    } catch (const std::exception& e) {
      if (checkers_.findings().explains(e.what())) return false;
      report_before_failure();
      throw;
    }
  }
  /// "tools" and "findings", or nothing.
  nlohmann::ordered_json json() const;
  /// The report, on stdout.
  void print() const;
  /// Of the command: exit_ok if nothing was found, else --error-exitcode, or exit_verdict.
  int status() const;

 private:
  void report_before_failure() const;
  emu::check::CheckerSet checkers_;
};

/// Passes the flags to a program's runtime (runtime/checkers.h). Throws Error as RunTools does.
void set_tool_environment();

}  // namespace twofour::cli
