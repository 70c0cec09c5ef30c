#pragma once
#include <functional>
#include <string_view>

#include "twofour/emu/kernel/simulate.h"

namespace twofour::cli {

/// The schedule of a latency on the simulator of one SM.
using Simulate = std::function<emu::KernelSimulation(const emu::Schedule&, emu::SmListener*)>;

/// Prints what the simulator says of the schedule that the latency model chose, as --view, --trace and --json
/// ask; `problem` is the GEMM, of a convolution the implicit one. Returns the exit status.
int time_kernel(std::string_view command, const emu::GemmProblem& problem, const emu::Latency& latency,
                const isa::Machine& machine, const Simulate& simulate);

}  // namespace twofour::cli
