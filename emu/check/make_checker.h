#pragma once
#include <memory>

#include "twofour/emu/check/findings.h"

namespace twofour::emu::check {

/// The observer of a tool. `findings` outlives it. Throws Error for a tool that is not there.
std::unique_ptr<ptx::Observer> make_checker(Tool tool, Findings& findings);

}  // namespace twofour::emu::check
