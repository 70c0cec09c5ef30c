#pragma once
#include <vector>

#include "twofour/emu/matrix/packed_matrix.h"
#include "twofour/emu/vectors/case_file.h"

namespace twofour::emu {

/// The operands of one instruction as matrices, from which a case's registers are filled.
struct Tiles {
  explicit Tiles(const isa::Instruction& i);

  isa::Instruction instruction;
  // Sizes are those of isa::tile.
  PackedMatrix a;                    ///< m x stored k
  PackedMatrix b;                    ///< n x k: column c of B is row c here
  PackedMatrix c;                    ///< m x n
  std::vector<std::uint8_t> codes;   ///< m x groups, at first the lowest legal code
  std::uint32_t other_metadata = 0;  ///< what lanes hold that the selector does not name

  std::uint8_t& code(int row, int group) { return codes[std::size_t(row * instruction.groups() + group)]; }
};

/// The case with these operands.
Case to_case(const Tiles& tiles, int selector);

}  // namespace twofour::emu
