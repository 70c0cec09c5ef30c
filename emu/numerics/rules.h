#pragma once
#include "twofour/isa/architecture.h"

namespace twofour::emu {

/// What a matrix operation may be asked beside its operands.
struct NumericOptions {
  isa::Architecture architecture = isa::Architecture::ampere;
  /// Integers: clamp to s32 once, after the exact sum of one instruction, instead of wrapping.
  bool satfinite = false;
  /// f64: of every fused multiply-add.
  isa::Rounding rounding = isa::Rounding::nearest_even;
};

}  // namespace twofour::emu
