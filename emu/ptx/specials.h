#pragma once
#include "twofour/emu/ptx/names.h"

namespace twofour::emu::ptx::syntax {

/// Declares the special registers of PTX ISA 9.0, chapter 10; one of %tid, %ctaid, ... stands for its .x, and
/// the others follow it. Left out: %pm, %current_graph_exec.
void declare_specials(Names& names);
/// Whether a component .x, .y or .z must follow.
bool has_components(Special special);

}  // namespace twofour::emu::ptx::syntax
