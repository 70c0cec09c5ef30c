#pragma once
// Arithmetic of one instruction on the 32 lanes of a warp: everything that reads and writes registers of one
// lane at a time, and nothing else (no memory, no other lanes, no control flow). Each operation has one plain
// scalar definition; a loop over lanes that the compiler vectorises computes it. Source: PTX ISA 9.0, 9.7.1
// to 9.7.10.
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
  std::uint32_t* carry = nullptr;     ///< condition code CC.CF, bit = lane
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

/// nullopt: no such opcode here. `types`: of the registers among the operands as declared, in order of the
/// operands (immediates have Type of the instruction there): cvt and set may have wider ones than their own
/// type. Throws Error that names location and text for modifiers, types or operand counts that PTX does not
/// allow.
std::optional<Alu> find_alu(const Instruction& instruction, std::span<const Type> types);

}  // namespace twofour::emu::ptx
