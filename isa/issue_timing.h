#pragma once
#include "twofour/isa/instruction.h"
#include "twofour/isa/machine.h"

namespace twofour::isa {

/// How long one Tensor Core instruction occupies the tensor pipe of its sub-core, in SM cycles.
struct IssueTiming {
  double interval;            ///< ideal cycles between two issues: FMA over the rate of a sub-core
  double effective_interval;  ///< what back-to-back streams reach
  double latency;             ///< issue to dependent issue
  bool measured;              ///< false: from the rule of its class, not from a published row of an A100
};

/// The machine's Tensor Cores have the row: it is_tensor_core(), its compute capability has it, its type has a
/// rate, and so has mma.sp if it is one.
bool has_issue_timing(const Instruction& i, const Machine& machine);

/// Of the mma.sync or mma.sp instruction, which on Hopper reaches mma_sync_share of the rate of the machine file
/// (emu/timing/library_mma.h: what a library's kernels reach there). Throws Error where there is none.
IssueTiming issue_timing(const Instruction& i, const Machine& machine);

}  // namespace twofour::isa
