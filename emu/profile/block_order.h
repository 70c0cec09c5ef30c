#pragma once
// The order in which ptxas might issue the instructions of a block.
#include <vector>

#include "twofour/emu/profile/values.h"
#include "twofour/isa/machine.h"

namespace twofour::emu::profile {

/// Positions of the function's code in the order in which they run: each block a permutation of its own.
/// List scheduling for one warp: of the oldest 32 instructions that wait, the one that can issue first, and
/// of these the one with the longest way of latencies to the end of the block. It keeps dependences of
/// registers; the order of memory accesses to a state space where one of them writes (cp.async writes shared
/// memory); that of all memory accesses around barriers, groups and calls; and ends each block with its
/// branch. The window is a guess at how far ptxas moves loads up: it stands for a bound on registers.
std::vector<int> block_order(const ptx::Function& function, const Blocks& blocks, const Values& values,
                             const isa::Machine& machine);

}  // namespace twofour::emu::profile
