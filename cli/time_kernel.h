#pragma once
#include "twofour/emu/timing/gemm_latency.h"

namespace twofour::cli {

/// `time gemm --cycle`: simulates the schedule that the latency model chooses and prints it as --view,
/// --trace and --json say. Returns the exit status. Throws Error for a problem without a tiled kernel.
int time_kernel(const emu::GemmProblem& problem, const isa::Machine& machine);

}  // namespace twofour::cli
