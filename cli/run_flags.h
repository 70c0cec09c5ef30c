#pragma once
// Flags of `twofour run` as values.
#include <gflags/gflags_declare.h>

#include <string>
#include <vector>

#include "twofour/cli/run_argument.h"
#include "twofour/emu/ptx/device.h"

DECLARE_string(entry);
DECLARE_string(grid);
DECLARE_string(block);
DECLARE_string(arg);
DECLARE_uint64(shared);
DECLARE_uint64(limit);
DECLARE_int32(threads);
DECLARE_string(statistics);

namespace twofour::cli {

/// "2", "2,2" or "2,2,1". `flag`: its name, for messages. Throws Error.
emu::ptx::Dim3 parse_dim3(const std::string& flag, const std::string& text);
/// All --arg, in the order given. Throws Error.
std::vector<RunArgument> run_arguments();
/// --threads, --limit; with --json what kernels print goes to stderr. Throws Error.
emu::ptx::DeviceOptions run_options();

}  // namespace twofour::cli
