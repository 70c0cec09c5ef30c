#pragma once
#include <array>
#include <cstdint>

#include "twofour/emu/timing/timed_op.h"
#include "twofour/emu/warp/fragment.h"

namespace twofour::emu {

/// Arrays in global memory that a GEMM kernel reads or writes.
enum class Tensor : std::uint8_t { none, a, metadata, b, c, scale, bias, residual, workspace, d };

/// What an arithmetic instruction does with the 32-bit registers x, y, z that it reads, lane by lane. The
/// instructions of address and loop arithmetic have none: a tile program carries the addresses themselves.
enum class Action : std::uint8_t {
  none,
  zero,        ///< 0
  widen_low,   ///< f32 of the lower f16 of x
  widen_high,  ///< f32 of the upper
  widen_bf16_low,
  widen_bf16_high,
  to_float,       ///< f32 nearest to the s32 x
  add_float,      ///< x + y in f32, ties to even, as are the next two
  multiply,       ///< x y
  fma,            ///< x y + z
  add_integer,    ///< x + y modulo 2^32
  add_double,     ///< two registers each
  scale_wide,     ///< two registers: (x y + 2^(z - 1)) >> z in 64 bits, x and y s32 (IMAD.WIDE, SHF)
  add_wide,       ///< two registers: the 64-bit x + the s32 y
  relu_wide,      ///< two registers: max(x, 0) of the 64-bit x
  saturate_wide,  ///< s32 nearest to the 64-bit x
  relu_float,     ///< max(x, +0); a NaN gives +0 (FMNMX)
  relu_integer,
  to_integer,  ///< s32 nearest to the f32 x, ties to even, saturated; a NaN gives 0 (F2I)
  pack_f16,    ///< f16 of x low, of y high (F2FP)
  pack_bf16,
  pack_s8,  ///< z << 16 | s8 of y << 8 | s8 of x, saturated (cvt.pack.sat; I2IP)
  pack_u8,
  pack_s4,  ///< z << 8 | s4 of y << 4 | s4 of x, saturated
  pack_u4,
  pack_b1  ///< z | (x > 0) << argument
};

/// One instruction of one warp with all that executing it needs.
struct WarpOp {
  OpKind kind = OpKind::integer;
  Action action = Action::none;
  Tensor tensor = Tensor::none;                   ///< of global memory
  const isa::Instruction* instruction = nullptr;  ///< of mma and ldmatrix
  RegisterRange write;
  std::array<RegisterRange, 4> read{};  ///< mma: A, B, C, metadata; stores: the data
  int argument = 0;                     ///< wait_group: N; mma.sp: selector; pack_b1: bit
  int bytes = 0;                        ///< that a lane moves: 1 to 16
  std::uint32_t active = ~0u;           ///< lanes whose predicate is true; the others load and store nothing
  std::uint32_t filled = 0;  ///< cp.async: active lanes that write zeros instead of reading (src-size 0)
  std::array<std::uint32_t, warp_lanes> shared{};  ///< byte addresses; ldmatrix: of rows
  std::array<std::int64_t, warp_lanes> global{};   ///< byte offsets in the tensor
  std::uint32_t line = 0;                          ///< of the kernel's listing, from 1

  bool is_active(int lane) const { return active >> lane & 1; }
  bool reads_global(int lane) const { return (active & ~filled) >> lane & 1; }
};

/// What its timing depends on: passes through the banks of shared memory and 32-byte sectors of global
/// memory, from the addresses.
TimedOp timed(const WarpOp& op);

}  // namespace twofour::emu
