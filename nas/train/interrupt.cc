#include "twofour/nas/train/interrupt.h"

namespace twofour::nas {
namespace {

volatile std::sig_atomic_t signalled = 0;
int guards = 0;

void on_signal(int) {
  signalled = 1;
}

}  // namespace

InterruptGuard::InterruptGuard() {
  if (guards++ > 0) return;
  signalled = 0;
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &old_int_);
  sigaction(SIGTERM, &action, &old_term_);
}

InterruptGuard::~InterruptGuard() {
  if (--guards > 0) return;
  sigaction(SIGINT, &old_int_, nullptr);
  sigaction(SIGTERM, &old_term_, nullptr);
}

bool interrupted() {
  return signalled != 0;
}

void check_interrupt() {
  if (interrupted())
    throw Interrupted("interrupted: finished stages are saved; run the same command again to go on");
}

}  // namespace twofour::nas
