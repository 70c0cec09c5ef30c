#pragma once
#include <array>
#include <cstdint>
#include <string>

#include "twofour/isa/instruction.h"

namespace twofour::emu {

/// What kind of work one warp instruction is for the pipeline of an SM.
enum class OpKind : std::uint8_t {
  mma,           ///< `instruction` is a row that is_tensor_core()
  ldmatrix,      ///< shared memory to registers
  load_shared,   ///< LDS
  store_shared,  ///< STS
  load_global,   ///< LDG
  store_global,  ///< STG
  cp_async,      ///< global to shared memory, not through registers
  commit_group,
  wait_group,  ///< until at most `argument` committed groups of the warp are pending
  barrier,     ///< until the warps that it expects arrive
  arrive,      ///< at a barrier, without waiting
  integer,     ///< 32-bit integer, address and logic operations
  fp32,
  fp64,
  special,  ///< rcp, ex2, ...
  branch,
  exit
};

/// Consecutive 32-bit registers of a lane; count 0: none. 0 to 255 are registers, 256 to 263 the predicates.
struct RegisterRange {
  std::uint16_t first = 0, count = 0;
  bool operator==(const RegisterRange&) const = default;
};

/// One instruction of one warp with what its timing depends on: not its data. Kernel lowering makes them from
/// a schedule, and an executor of kernels from what it ran.
struct TimedOp {
  OpKind kind = OpKind::integer;
  const isa::Instruction* instruction = nullptr;  ///< of mma and ldmatrix
  RegisterRange write{};
  std::array<RegisterRange, 4> read{};  ///< mma: A, B, C, metadata
  int argument = 0;                     ///< wait_group: N; barrier and arrive: its number, 0 to 15
  int expected = 0;                     ///< barrier and arrive: warps that it waits for; 0: all of the CTA
  int lanes = 0;                        ///< arithmetic: lanes of the SM that do it; 0: all of its pipe
  int wavefronts = 0;                   ///< shared memory: passes through the banks, conflicts included
  int bytes = 0;                        ///< global memory: bytes of the 32-byte sectors that the warp touches
  std::uint32_t line = 0;               ///< of the kernel's listing; for views
};

}  // namespace twofour::emu
