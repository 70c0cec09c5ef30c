#pragma once
// What happens beside a long launch: progress on a terminal, and Ctrl-C.
#include <signal.h>

#include <thread>

#include "twofour/emu/ptx/device.h"

namespace twofour::cli {

/// While it lives, Ctrl-C ends the program with status 130, and nothing is written. On a terminal a line on
/// stderr says every second, after the first two, how far the launch is. One at a time.
class RunWatch {
 public:
  /// `blocks`: of the grid.
  RunWatch(const emu::ptx::Progress& progress, std::uint64_t blocks);
  ~RunWatch();
  RunWatch(const RunWatch&) = delete;
  RunWatch& operator=(const RunWatch&) = delete;

  /// The launch is over: no more progress, and Ctrl-C waits until this object goes, so that no file is cut.
  void finish();

 private:
  struct sigaction before_ {};
  std::jthread printer_;
};

}  // namespace twofour::cli
