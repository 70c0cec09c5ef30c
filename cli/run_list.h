#pragma once
#include <string>

#include "twofour/emu/ptx/module.h"

namespace twofour::cli {

/// Prints the kernels of a module and their parameters, as text or JSON. Returns the exit status.
int list_entries(const emu::ptx::Module& module);
/// "; there are a, b", cut after some 1000 characters; empty if there are none.
std::string entry_names(const emu::ptx::Module& module);

}  // namespace twofour::cli
