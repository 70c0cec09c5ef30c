#pragma once
// Results of matrix instructions that their type cannot hold. Private to emu/check.
#include <cstdint>
#include <string>

#include "twofour/emu/warp/mma.h"

namespace twofour::emu::check {

/// A kind of wrong result, all of one instruction.
struct BadResult {
  std::string error;        ///< "s32 accumulator overflows"
  std::string detail;       ///< of the first element, by lane
  std::uint32_t lanes = 0;  ///< that hold such elements; 0: there are none
};

/// Elements of integer results that wrapped: C + the sum of products is outside s32. (The sum of products is
/// less than 2^31 for every row of the table, so D - C modulo 2^32 is that sum.
/// Results that .satfinite clamped do not count: D - C does not leave s32 then.)
BadResult integer_overflow(const isa::Instruction& i, const Fragment& c, const Fragment& d);

/// Elements of floating-point results that are infinite though all they are made of is finite.
/// Elements that are NaN though nothing they are made of is: infinities of both signs, or 0 * infinity.
struct FloatResults {
  BadResult overflow, nan;
};
FloatResults bad_floats(const isa::Instruction& i, const MmaOperands& operands, const Fragment& d);

}  // namespace twofour::emu::check
