#pragma once
// The order in which ptxas might issue the instructions of a block.
#include <vector>

#include "twofour/emu/profile/values.h"
#include "twofour/isa/machine.h"

namespace twofour::emu::profile {

/// Positions of the function's code in the order in which they run: each block a permutation of its own that
/// keeps dependences of registers, of memory accesses among each other where one of them writes or their
/// kinds differ, and of everything with barriers, groups and ends.
std::vector<int> block_order(const ptx::Function& function, const Blocks& blocks, const Values& values,
                             const isa::Machine& machine);

}  // namespace twofour::emu::profile
