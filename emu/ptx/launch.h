#pragma once
#include "twofour/emu/ptx/cta.h"

namespace twofour::emu::ptx {

/// Runs all blocks, lowest index first, each wholly on one of `threads` host threads (0: all cores). Blocks
/// that take long have turns, so that one may wait for another that is as many blocks away as the machine
/// holds at once. Throws
/// the Error of the failed block with the lowest index among those that ran.
void run_grid(Grid& grid, int threads);

}  // namespace twofour::emu::ptx
