#pragma once
#include "twofour/emu/numerics/rules.h"
#include "twofour/emu/warp/fragment.h"
#include "twofour/isa/instruction.h"

namespace twofour::emu {

/// Operands of one warp-wide matrix instruction. metadata and selector are read by sparse instructions only.
struct MmaOperands {
  Fragment a, b, c;
  LaneRegister metadata{};
  int selector = 0;
};

/// Executes one instruction that multiplies (mma, mma.sp, wmma.mma) on the registers of 32 lanes and returns
/// the D fragment; registers that it does not use come back zero. wmma.mma runs as the Tensor Core
/// instructions it lowers to (isa/lowering.h). Registers that repeat elements of a wmma fragment are not
/// read. Metadata indices select on their own (also duplicate or descending ones, which PTX leaves
/// undefined). satfinite clamps once per Tensor Core instruction.
/// Throws Error that names the instruction if it does not multiply, if the selector is out of range, if it
/// has no satfinite or rounding form and one is asked for, or if the architecture has no rule for its types.
Fragment execute(const isa::Instruction& instruction, const MmaOperands& operands,
                 const NumericOptions& options = {});

/// The same from the scalar definition alone (dot() for each element of D): what execute() must equal.
Fragment execute_by_definition(const isa::Instruction& instruction, const MmaOperands& operands,
                               const NumericOptions& options = {});

}  // namespace twofour::emu
