#pragma once
#include <string>

namespace twofour::cli {

/// `twofour run FILE.ptx`, as the flags say: one kernel, or the list of them. Returns the exit status.
int run_ptx_file(const std::string& path);

}  // namespace twofour::cli
