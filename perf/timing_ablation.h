#pragma once
#include <vector>

#include "twofour/emu/timing/measurements.h"

namespace twofour::perf {

/// Mean absolute error by class of the model and of its peers, which learn from the rows seen.
void print_peers(const std::vector<emu::Measurement>& rows, const std::vector<emu::Measurement>& seen,
                 const isa::Machine& machine);

/// The same without each mechanism; the other constants keep their values.
void print_ablation(const std::vector<emu::Measurement>& rows, const isa::Machine& machine);

}  // namespace twofour::perf
