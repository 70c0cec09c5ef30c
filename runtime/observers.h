#pragma once
// Observers of a program's launches (emu/ptx/observer.h) that the environment asks for.
#include <vector>

#include "twofour/emu/ptx/observer.h"

namespace twofour::runtime {

/// Made at the first call; they live until the process ends, and write what they saw when it exits.
/// TWOFOUR_STATISTICS=FILE: JSON of emu::profile::Launches.
const std::vector<emu::ptx::Observer*>& process_observers();

}  // namespace twofour::runtime
