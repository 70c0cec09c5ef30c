#pragma once
// The time of a launch, from what one SM executed of it.
#include <string>

#include "twofour/emu/profile/launch_trace.h"
#include "twofour/emu/timing/sm_parameters.h"
#include "twofour/emu/timing/sm_report.h"

namespace twofour::emu::profile {

struct LaunchTime {
  double cycles = 0;        ///< of the kernel at the boost clock, cold start included
  double microseconds = 0;  ///< the same; the host's launch is not counted
  double sm_cycles = 0;     ///< of the busiest SM: all its blocks
  double dram_cycles = 0;   ///< bytes that DRAM delivers and takes, at its bandwidth
  double power_cycles = 0;  ///< the tensor pipe's work at the clock that the power budget sustains
  double l1_hit = 0, l2_hit = 1, dram_bytes = 0;
  std::uint64_t blocks_of_busiest_sm = 0, blocks_simulated = 0;
  double simulated_share = 1;  ///< of the machine instructions of these blocks: the rest was beyond the bound
  std::string bound;           ///< "DRAM", "power", or what binds the SM
  SmReport run;                ///< of the simulated blocks
};

/// What the SM gets of the memory: an equal part of the bandwidth of L2 and DRAM with the others that have
/// blocks. Every sector that the grid reads comes once from DRAM, and L2 answers the rest; ld finds in L1
/// what its block had loaded before, as far as what the blocks of an SM load fits beside their shared memory
/// (L1 and shared memory are smem_per_sm + 28 KiB in 8.0 to 9.0, CUDA C++ programming guide). What is stored
/// stays in L2 if it fits there with what is read.
MemoryShare memory_share(const LaunchTrace& trace, const isa::Machine& machine);

/// Simulates the recorded blocks on one SM. If the SM gets more, the whole rounds that are missing take as
/// long as the last simulated one (emu/kernel/simulate.h does the same). Streams that were cut at the bound
/// count as if the rest went on at the same rate. `listener` sees the run of all recorded blocks. Throws
/// Error as run_sm.
LaunchTime time_launch(const LaunchTrace& trace, const isa::Machine& machine, SmListener* listener = nullptr);

}  // namespace twofour::emu::profile
