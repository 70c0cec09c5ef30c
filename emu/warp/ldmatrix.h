#pragma once
#include <cstddef>
#include <span>

#include "twofour/emu/warp/fragment.h"
#include "twofour/isa/instruction.h"

namespace twofour::emu {

/// ldmatrix on a span of bytes that stands for shared memory (its first byte counts as aligned). Row i of
/// matrix j, 16 bytes, starts at byte addresses[8j + i]; the other lanes' addresses are not read. Register j
/// of the result is matrix j: halves e = 0, 1 of lane 4g + t are elements (g, 2t + e), with .trans elements
/// (2t + e, g). So four matrices (rows 0-7, k low) (rows 8-15, k low) (rows 0-7, k high) (rows 8-15, k high)
/// are A of an m16 mma, and consecutive k of the columns of B are its B.
/// Throws Error that names lane and address if a row is not aligned to 16 bytes or lies outside memory.
/// Source: PTX ISA 9.1, "ldmatrix" and "movmatrix".
Fragment ldmatrix(const isa::Instruction& instruction, std::span<const std::byte> shared,
                  std::span<const std::uint64_t, warp_lanes> addresses);

/// movmatrix.trans: the transpose of an 8 x 8 matrix of 16-bit elements, each row in the halves of four
/// lanes.
LaneRegister movmatrix(const LaneRegister& a);

}  // namespace twofour::emu
