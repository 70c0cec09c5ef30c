#pragma once
#include <memory>

#include "twofour/emu/check/findings.h"

namespace twofour::emu::check {

// One observer a tool. `findings` outlives it.
std::unique_ptr<ptx::Observer> make_memcheck(Findings& findings);
std::unique_ptr<ptx::Observer> make_racecheck(Findings& findings);
std::unique_ptr<ptx::Observer> make_synccheck(Findings& findings);
std::unique_ptr<ptx::Observer> make_initcheck(Findings& findings);
std::unique_ptr<ptx::Observer> make_metacheck(Findings& findings);
std::unique_ptr<ptx::Observer> make_bankcheck(Findings& findings);

}  // namespace twofour::emu::check
