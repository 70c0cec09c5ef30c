#pragma once
#include <cstdint>
#include <string_view>

#include "twofour/isa/machine.h"

namespace twofour::emu::profile {

struct BlockNeeds {
  int threads = 0;
  int registers = 0;         ///< of a lane
  std::uint64_t shared = 0;  ///< bytes, static and dynamic
};

struct Occupancy {
  int blocks = 0;          ///< that an SM holds; at least 1
  std::string_view limit;  ///< "shared memory", "registers", "warps" or "blocks"
};

/// Blocks that an SM holds at once. Registers are given out 8 a lane, shared memory in 1024 bytes, 1024 more
/// for every block (CUDA C++ programming guide, 8.0). No more registers a lane count than let one block run:
/// ptxas would spill.
Occupancy occupancy(const BlockNeeds& needs, const isa::Machine& machine);

}  // namespace twofour::emu::profile
