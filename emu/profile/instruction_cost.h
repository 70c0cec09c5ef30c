#pragma once
// What ptxas makes of a PTX instruction, as far as timing goes: the one place where these rules stand.
#include <array>

#include "twofour/emu/ptx/module.h"
#include "twofour/emu/timing/timed_op.h"

namespace twofour::emu::profile {

/// `count` machine instructions of a kind, one after the other.
struct Work {
  OpKind kind = OpKind::integer;
  int count = 0;
  int lanes = 0;  ///< as TimedOp::lanes
};

enum class Form : std::uint8_t {
  nothing,     ///< no machine instruction
  copy,        ///< a register that another one stands for; costs a MOV a word where that cannot be
  constant,    ///< the result is an operand of its readers: immediates, constant bank. No register
  arithmetic,  ///< `work`
  memory,      ///< by its addresses, then `work`
  matrix,      ///< mma, wmma, ldmatrix, movmatrix
  control      ///< barriers, groups, branches, ends
};

struct Cost {
  Form form = Form::arithmetic;
  std::array<Work, 2> work = {};
};

/// The pipe of integer multiplication, and of moves: IMAD runs where FFMA does.
inline constexpr OpKind multiply_add = OpKind::fp32;

/// Rules, all graded `inferred` (from knowledge of what ptxas emits for sm_80; nobody compared them one by
/// one):
///  - nothing: labels of flow, fences between lanes of a warp; register moves, cvta, conversions between
///    integers of a width or to fewer bits, unsigned 32 to 64 bits; st.param and ld.param of calls;
///  - constants: mov of a number or an address, ld.param of a kernel, ld.const at a fixed address;
///  - one instruction: 32-bit integer and logic, 32-bit and packed 16-bit floats, comparisons, selects, mad,
///    mul.wide, conversions; two where 64 bits are added, shifted, compared or combined by bits; three for
///    64-bit mul.lo and mad.lo;
///  - mul, mad, shl by a number and moves go through the FP32 pipe (IMAD, IMAD.SHL, IMAD.MOV), beside the
///  other
///    integer operations;
///  - wmma.mma is what isa/lowering.h says; wmma.load and .store take an instruction for every 4 bytes a lane
///  of
///    the tile;
///  - 16 lanes an SM: rcp, rsqrt, sqrt, ex2, lg2, sin, cos, tanh, popc, clz, bfind, brev, and conversions
///    between integers and floats or of 64 bits (CUDA C++ programming guide, arithmetic throughput at 8.0);
///    packed 16-bit floats at twice the FP32 lanes (same table); fp64 on its own pipe;
///  - division, square root and reciprocal with IEEE rounding: a special function and so many more: 32-bit
///    div 8, sqrt 6, rcp 4; 64-bit div 8, sqrt 8, rcp 6 on the fp64 pipe; integer division 14 (32 bits) or
///    60 (64 bits).
Cost cost_of(const ptx::Instruction& instruction, const ptx::Function& function);

/// Row of the instruction table of mma, wmma, ldmatrix or movmatrix; null for one that is not there.
const isa::Instruction* matrix_row(const ptx::Instruction& instruction);

/// Whether the first operand is written.
bool writes_first(const ptx::Instruction& instruction);
/// The last modifier that is a type; b32 if there is none.
ptx::Type type_of(const ptx::Instruction& instruction);

/// Two instructions of a pair that are one: the first's only reader is the second. mul.wide and add (IMAD),
/// mul.lo and add (IMAD), shl and add (LEA), two of and, or, xor, not (LOP3).
bool fuses(const ptx::Instruction& first, const ptx::Instruction& second);
/// Machine instructions of the second one of such a pair; the first has none.
Work fused_work(const ptx::Instruction& first, const ptx::Instruction& second);

}  // namespace twofour::emu::profile
