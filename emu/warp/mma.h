#pragma once
#include <array>
#include <cstdint>

#include "twofour/emu/numerics/rules.h"
#include "twofour/isa/instruction.h"

namespace twofour::emu {

inline constexpr int warp_lanes = 32;
inline constexpr int max_operand_registers = 8;

/// 32-bit registers of one operand across a warp: word[register][lane]. An f64 element is two registers, low
/// word first.
struct Fragment {
  std::array<std::array<std::uint32_t, warp_lanes>, max_operand_registers> word{};
  bool operator==(const Fragment&) const = default;
};

/// Operands of one warp-wide matrix instruction. metadata and selector are read by sparse instructions only.
struct MmaOperands {
  Fragment a, b, c;
  std::array<std::uint32_t, warp_lanes> metadata{};
  int selector = 0;
};

/// Executes one mma or mma.sp on the registers of 32 lanes and returns the D fragment.
/// Metadata indices select on their own (also duplicate or descending ones, which PTX leaves undefined).
/// Throws Error if the selector is out of range, or satfinite is asked of an instruction that has none.
Fragment execute(const isa::Instruction& instruction, const MmaOperands& operands,
                 const NumericOptions& options = {});

}  // namespace twofour::emu
