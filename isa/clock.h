#pragma once
#include <string>
#include <string_view>

#include "twofour/isa/machine.h"

namespace twofour::isa {

/// Which clock a latency is asked for.
struct Clock {
  enum class Kind {
    automatic,  ///< boost; the power limit is a floor under the time of a full tensor pipe
    boost,      ///< no power limit: short bursts
    sustained,  ///< the clock that the power limit leaves to a full tensor pipe, throughout
    locked      ///< a clock in MHz, as `nvidia-smi --lock-gpu-clocks` sets it
  };
  Kind kind = Kind::automatic;
  double mhz = 0;  ///< of locked
};

/// "automatic", "boost", "sustained" or a number of MHz; throws Error that lists them.
Clock parse_clock(std::string_view text);
/// The text that parse_clock takes.
std::string name(const Clock& clock);

/// The machine at a clock, for work of a type (integers sustain another clock than floats). L1, shared memory
/// and L2 run at the SM's clock and keep their bytes a cycle; DRAM keeps its bytes a second and its
/// nanoseconds beyond L2. Throws Error for a locked clock above 3000 MHz or below 100.
Machine at_clock(const Machine& machine, const Clock& clock, ElementType type);

}  // namespace twofour::isa
