#pragma once
// wmma.mma as the Tensor Core instructions it lowers to. Private to emu/warp.
#include "twofour/emu/warp/mma.h"

namespace twofour::emu {

/// How one mma runs.
using MmaFunction = Fragment (*)(const isa::Instruction&, const MmaOperands&, const NumericOptions&);

/// D of a wmma.mma: `step` runs once per block and k step of isa::lowering().
Fragment wmma(const isa::Instruction& i, const MmaOperands& operands, const NumericOptions& options,
              MmaFunction step);

}  // namespace twofour::emu
