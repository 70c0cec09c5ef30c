#pragma once
#include <csignal>
#include <string>

#include "twofour/isa/error.h"

namespace twofour::nas {

/// The user pressed Ctrl-C (or sent SIGTERM): work was saved, and the message says how to go on.
class Interrupted : public Error {
 public:
  using Error::Error;
};

/// While one lives, SIGINT and SIGTERM only set a flag; a second signal ends the program at once. They nest;
/// the outermost counts. For one thread.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  struct sigaction old_int_ {
  }, old_term_{};
};

/// Has a signal come?
bool interrupted();
/// Throws Interrupted if a signal has come.
void check_interrupt();

}  // namespace twofour::nas
