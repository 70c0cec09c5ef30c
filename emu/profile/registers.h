#pragma once
// Registers of the machine for the values of a function.
#include <vector>

#include "twofour/emu/profile/live_ranges.h"
#include "twofour/emu/timing/timed_op.h"

namespace twofour::emu::profile {

inline constexpr int most_registers = 255, first_predicate = 256, predicates = 7;

struct Registers {
  std::vector<int> first;  ///< of each value
  int used = 0;            ///< registers of a lane, predicates aside
  bool full = false;       ///< a value found no place and shares one; predicates aside

  /// None of a constant.
  RegisterRange range(const Place& place) const;
};

/// Vectors of ld, st, ldmatrix and mma get neighbouring registers, C and D of an mma and both sides of a copy
/// the same ones, where their values allow it; then linear scan, lowest registers first, 64-bit values
/// aligned. Nothing is spilled: what finds no place shares one.
Registers give_registers(const ptx::Function& function, const Values& values,
                         const std::vector<Ranges>& ranges);

}  // namespace twofour::emu::profile
