#pragma once
// Checkers of a program's kernels (emu/check) that the environment asks for:
//   TWOFOUR_TOOL            the tools, as in --tool; none: no checkers
//   TWOFOUR_ERROR_EXITCODE  the process ends with this status if they found something
//   TWOFOUR_LEAK_CHECK      1: memcheck lists what was not freed
// They write their report to stderr when the process exits.
#include <map>

#include "twofour/emu/check/checker_set.h"
#include "twofour/runtime/process.h"

namespace twofour::runtime {

/// Null if there are none. Made at the first call, which must be early: what else the process does at its
/// exit comes before the report.
emu::check::CheckerSet* process_checkers();

/// Whether the report says what this message of a kernel that failed says.
bool is_found(const std::string& failure);
/// cudaFree and its like of something else than a live allocation; `what`: what the address is.
void found_bad_free(std::uint64_t address, const std::string& what);
/// These allocations are still there at the end of the process or at a reset of the device.
void found_leaks(const std::map<std::uint64_t, Allocation>& allocations);

}  // namespace twofour::runtime
