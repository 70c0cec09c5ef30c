#pragma once
// TWOFOUR_EXEC_MODE=cycle: programs' launches are timed.
#include "twofour/emu/ptx/observer.h"
#include "twofour/isa/machine.h"

namespace twofour::runtime {

/// Whether the environment asks for it. Throws Error for anything but "cycle", "functional" and nothing.
bool cycle_mode();

/// Times launches on the machine, prints a line for each on stderr, and moves modelled_microseconds(). One
/// for the process; it lives to its end.
emu::ptx::Observer& cycle_observer(const isa::Machine& machine);

/// Time of a GPU on which nothing but kernels takes time: each takes as long as it runs, and no less than the
/// period of launches into a stream. Copies, fills and the host take none.
double modelled_microseconds();

}  // namespace twofour::runtime
