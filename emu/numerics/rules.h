#pragma once
#include "twofour/isa/architecture.h"

namespace twofour::emu {

/// What a matrix operation may be asked beside its operands.
struct NumericOptions {
  isa::Architecture architecture = isa::Architecture::ampere;
  bool satfinite =
      false;  ///< integers: clamp to s32 once, after the exact sum of one instruction, instead of wrapping
};

}  // namespace twofour::emu
