#pragma once
#include <optional>

#include "twofour/emu/replay/replay.h"
#include "twofour/emu/vectors/case_file.h"

namespace twofour::emu {

/// Executes a case that has D on an architecture; nothing if the model gives the same words.
std::optional<Mismatch> compare(const Case& c, isa::Architecture architecture);

}  // namespace twofour::emu
