#pragma once
#include <memory>

#include "twofour/emu/check/findings.h"

namespace twofour::emu::check {

/// The observer of a tool. `findings` outlives it.
std::unique_ptr<ptx::Observer> make_checker(Tool tool, Findings& findings);

}  // namespace twofour::emu::check
