#pragma once
#include <cstdint>
#include <span>

#include "twofour/emu/numerics/rules.h"
#include "twofour/isa/instruction.h"

namespace twofour::emu {

/// One element of D: c + a . b as the instruction computes it. a and b hold raw element words, k ascending;
/// for a sparse instruction they hold the kept elements and the B elements that the metadata selects
/// (stored_k of each). The result and c are raw words of the d and c types. This is the scalar definition
/// that every faster path equals.
///  - f16, bf16, tf32: block_dot over consecutive blocks.
///  - f64: a chain of IEEE fused multiply-adds, k ascending (fma_chain.h), and so the quad-pair instruction
///    after Volta.
///  - integers: exact sum, wrapped to 32 bits, or clamped once with satfinite. b1: count of ones of a op b.
std::uint64_t dot(const isa::Instruction& instruction, std::span<const std::uint64_t> a,
                  std::span<const std::uint64_t> b, std::uint64_t c, const NumericOptions& options);

/// A raw element word as an integer (sign-extended for signed types).
std::int64_t integer_value(isa::ElementType type, std::uint64_t word);

}  // namespace twofour::emu
