#pragma once
// A PTX function as machine instructions, for their timing.
#include <span>
#include <vector>

#include "twofour/emu/profile/blocks.h"
#include "twofour/emu/profile/instruction_cost.h"
#include "twofour/isa/machine.h"

namespace twofour::emu::profile {

/// The machine instructions of one PTX instruction.
struct Lowered {
  int first = 0, count = 0;  ///< in LoweredFunction::ops
  int access = -1;           ///< of these, the one that touches memory; -1: none
  int accesses = 1;          ///< from there on, that share what it touches
  int rank = 0;              ///< place in the order in which its block issues
};

class LoweredFunction {
 public:
  /// Throws Error for what is too large (live_ranges.h).
  LoweredFunction(const ptx::Function& function, const isa::Machine& machine);

  const Lowered& at(int position) const { return lowered_[std::size_t(position)]; }
  std::span<const TimedOp> ops(const Lowered& l) const {
    return {ops_.data() + l.first, std::size_t(l.count)};
  }
  int block(int position) const { return blocks_.of[std::size_t(position)]; }
  /// Registers of a lane.
  int registers() const { return registers_; }

 private:
  Blocks blocks_;
  std::vector<Lowered> lowered_;
  std::vector<TimedOp> ops_;
  int registers_ = 0;
};

}  // namespace twofour::emu::profile
