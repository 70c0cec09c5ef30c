#pragma once
// What one SM executes of a launch, as streams for emu/timing.
#include <cstdint>
#include <string>
#include <vector>

#include "twofour/emu/profile/occupancy.h"
#include "twofour/emu/ptx/device.h"
#include "twofour/emu/timing/timed_op.h"

namespace twofour::emu::profile {

struct WarpTrace {
  std::vector<TimedOp> ops;
  std::int64_t executed = 0;  ///< with those beyond the bound, which are not in `ops`
};

struct BlockTrace {
  std::uint64_t index = 0;  ///< of the block in its grid
  std::vector<WarpTrace> warps;

  std::int64_t recorded() const;
  std::int64_t executed() const;
};

/// Bytes of 32-byte sectors in global memory.
struct GlobalTraffic {
  double read = 0, read_once = 0;  ///< by all accesses of the grid; of the sectors that any of them reads
  double written = 0, written_once = 0;
  double loaded = 0, loaded_again = 0;  ///< by ld of the recorded blocks; of sectors their block had loaded
  double loaded_once = 0;               ///< the largest block's
};

struct LaunchTrace {
  std::string kernel;
  ptx::Dim3 grid, block;
  BlockNeeds needs;
  Occupancy occupancy;
  std::uint64_t warp_instructions = 0;  ///< of PTX, the whole grid
  std::vector<BlockTrace> blocks;       ///< in order of launch
  GlobalTraffic traffic;

  std::uint64_t block_count() const { return std::uint64_t(grid.x) * grid.y * grid.z; }
};

}  // namespace twofour::emu::profile
