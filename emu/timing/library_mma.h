#pragma once
#include "twofour/isa/instruction.h"
#include "twofour/isa/machine.h"

namespace twofour::emu {

/// The instruction that a library's GEMM kernel is built of on a machine, and how it occupies the tensor pipe
/// of a sub-core, in cycles.
struct LibraryMma {
  const isa::Instruction* instruction;  ///< fma() and metadata are the row's
  double interval;                      ///< ideal, between two issues
  double effective_interval;            ///< what back-to-back streams reach
  double latency;                       ///< issue to dependent issue
  bool warpgroup;  ///< Hopper's wgmma: operands come from shared memory once for four warps
};

/// The largest mma of a type with 32-bit accumulators that the machine has; of two as large, the faster one
/// (Hopper: .and of b1). Where mma.sync does not reach the peak (Machine::mma_sync_share below 1) libraries
/// use wgmma, which does; it takes no 4-bit type (PTX ISA, wgmma.mma_async). Throws Error that names machine
/// and type where the machine has none.
LibraryMma library_mma(isa::ElementType type, bool sparse, const isa::Machine& machine);

}  // namespace twofour::emu
