#pragma once
// wmma.mma as the Tensor Core instructions it lowers to. Private to emu/warp.
#include <memory>

#include "twofour/emu/warp/mma.h"
#include "twofour/isa/lowering.h"

namespace twofour::emu {

/// How one mma runs.
using MmaFunction = Fragment (*)(const isa::Instruction&, const MmaOperands&, const NumericOptions&);

/// D of a wmma.mma: `step` runs once per block and k step of isa::lowering().
Fragment wmma(const isa::Instruction& i, const MmaOperands& operands, const NumericOptions& options,
              MmaFunction step);

/// A wmma.mma whose Tensor Core instruction is prepared.
struct PreparedWmma {
  isa::Lowering lowering;
  PreparedMma step;              ///< of lowering.step
  int whole_a = 0, whole_b = 0;  ///< registers of the step's operands that hold distinct elements
};
/// Null where C or D is converted on the way. Errors as prepare().
std::shared_ptr<const PreparedWmma> prepare_wmma(const isa::Instruction& i, const NumericOptions& options);
/// The same as wmma(), from and to registers where they lie.
void run_wmma(const PreparedWmma& w, const MmaRegisters& registers);

}  // namespace twofour::emu
