#pragma once
// Arithmetic of one instruction on the 32 lanes of a warp: everything that reads and writes registers of one
// lane at a time, and nothing else (no memory, no other lanes, no control flow). Each operation has one plain
// scalar definition; a loop over lanes that the compiler vectorises computes it. Source: PTX ISA 9.0, 9.7.1
// to 9.7.10.
//
// Floats are IEEE 754: one rounding, in the mode that the instruction names, subnormals kept unless .ftz,
// which flushes operands and results to zeros of their sign. What PTX leaves open is here:
// - A result is subnormal for .ftz if it is after rounding.
// - NaN: f32 results are 0x7fffffff, f16 and bf16 0x7fff. f64 keeps the payload of its first NaN operand,
// made
//   quiet (9.7.3: payloads are supported); a NaN that comes from numbers is 0xfff8000000000000, CUDA's
//   CUDART_NAN. neg and abs of f64, copysign, mov, selp and slct move bits.
// - .sat of -0 and .relu of -0 are +0; min and max order -0 below +0.
// - Division by zero of integers, and its remainder, are all ones; the lowest number / -1 wraps.
// - Subtraction's CC.CF is a borrow: subc subtracts it.
// - cvta is the identity. lop3's table is the one of lane 0.
// - cvt to tf32 leaves the low 13 bits zero.
//
// Approximate functions are computed in double and rounded to nearest: at most an ulp from the exact value,
// where PTX allows 2^-20 (sin, cos: absolute), 2^-22 (lg2, ex2, rsqrt), 1 ulp (rcp, sqrt), 2 ulp (div.approx,
// div.full) and 2^-11 (tanh). div.approx divides by more than 2^126 as PTX says: zeros, and NaN for
// infinities. rcp and rsqrt.approx.ftz.f64 see the upper words of numbers and give 20 bits of fraction. A
// GPU's words may differ in the last bits; these results are no model of its tables.
//
// Left out, refused as Error: .rs rounding, .oob, u16x2 and s16x2, mixed precision (add.f32.f16), fp8, b128.
#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "twofour/emu/ptx/module.h"

namespace twofour::emu::ptx {

/// A register of a warp is 32 values of its type side by side (u8, u16, u32, u64 or two u64 a lane; f16x2 as
/// u32); a predicate is one u32, bit = lane.
struct AluCall {
  std::uint32_t active = 0;           ///< lanes whose results are written; the others keep theirs
  std::array<void*, 2> d = {};        ///< results; null for `_`
  std::array<const void*, 5> s = {};  ///< sources; may be the same registers as results (lop3.and has five)
  std::uint32_t* carry =
      nullptr;  ///< condition code CC.CF, bit = lane; read by addc, subc, madc, written by .cc
};
using AluFunction = void (*)(const AluCall&);

/// An instruction, decoded. Immediate sources are put in registers of the source's type by the caller; a
/// negated predicate source is complemented by it.
struct Alu {
  AluFunction run = nullptr;
  int result_count = 0, source_count = 0;
  std::array<Type, 2> results = {};  ///< of the arrays that run() writes
  std::array<Type, 5> sources = {};  ///< of the arrays that run() reads
  bool approximate = false;          ///< PTX bounds the error only; ours is within it (docs say how near)
};

/// nullopt: no such opcode here. `types`: one for each operand, as declared, in the order of the operands;
/// the parts of a pair count one by one; those of operands that are no registers are not read (give them
/// registers of `sources`). Integers of cvt may have wider registers than their type. Vectors that are no
/// pair, and mov of anything but registers, are the caller's to execute. Throws Error that names location and
/// text for modifiers, types or operand counts that PTX does not allow.
std::optional<Alu> find_alu(const Instruction& instruction, std::span<const Type> types);

}  // namespace twofour::emu::ptx
