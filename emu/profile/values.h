#pragma once
// From PTX's registers to the values that need registers of the machine.
#include <functional>
#include <vector>

#include "twofour/emu/profile/blocks.h"
#include "twofour/emu/profile/instruction_cost.h"

namespace twofour::emu::profile {

/// `count` consecutive 32-bit registers of a value, from its word `offset` on. value -1: a constant.
struct Place {
  int value = -1;
  int offset = 0, count = 0;
};

struct Value {
  int words = 1;
  bool predicate = false;
};

/// What is known of a function before registers are given out.
struct Values {
  std::vector<Place> of;  ///< of each PTX register
  std::vector<Value> values;
  std::vector<Cost> costs;  ///< of each position
  std::vector<char> gone;   ///< of each position: part of another instruction, or a copy that is its source
  std::vector<int> fused;   ///< of each position: the earlier one that is part of it; -1: none
};

/// Copies of registers that are written once, of registers that are written once, are their source; adds of a
/// number that are read as addresses alone are part of [register + number]; fuses() joins neighbours in a
/// block.
Values find_values(const ptx::Function& function, const Blocks& blocks);

/// Calls f(register, operand; -1: the guard or a call) for every register that an instruction reads; for
/// writes likewise.
using RegisterVisitor = std::function<void(int reg, int operand)>;
void for_reads(const ptx::Function& function, int position, const RegisterVisitor& f);
void for_writes(const ptx::Function& function, int position, const RegisterVisitor& f);

}  // namespace twofour::emu::profile
