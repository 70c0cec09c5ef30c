#pragma once
#include "twofour/isa/instruction.h"

namespace twofour::cli {

/// The instruction of --dtype, --sparse, --accumulator and --op with the largest k. Throws Error where there
/// is none.
const isa::Instruction& instruction_by_type();

}  // namespace twofour::cli
