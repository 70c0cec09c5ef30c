#pragma once
#include "twofour/isa/instruction.h"
#include "twofour/isa/machine.h"

namespace twofour::isa {

/// How long one Tensor Core instruction occupies the tensor pipe of its sub-core, in SM cycles.
struct IssueTiming {
  double interval;            ///< ideal cycles between two issues: FMA over the rate of a sub-core
  double effective_interval;  ///< what back-to-back streams reach
  double latency;             ///< issue to dependent issue
  bool measured;              ///< false: from the rule of its class, not from a published row
};

/// The machine's Tensor Cores have the row: it is_tensor_core(), its type has a rate, and so has mma.sp if it
/// is one.
bool has_issue_timing(const Instruction& i, const Machine& machine);

/// Throws Error where there is none.
IssueTiming issue_timing(const Instruction& i, const Machine& machine);

}  // namespace twofour::isa
