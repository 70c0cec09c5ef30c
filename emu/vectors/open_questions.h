#pragma once
#include <vector>

#include "twofour/emu/vectors/case_file.h"
#include "twofour/isa/architecture.h"

namespace twofour::emu {

/// Cases that decide what is open about an architecture's arithmetic (docs/numerics.md, "Open"). The note of
/// each says what it asks, and what every outcome would mean; the outcomes are computed from the rules in
/// question, this model's among them.
std::vector<Case> open_questions(isa::Architecture architecture);

}  // namespace twofour::emu
