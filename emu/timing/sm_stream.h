#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "twofour/emu/timing/timed_op.h"

namespace twofour::emu {

/// Instructions that a warp runs `repeats` times over. The operations stay with the caller.
struct Segment {
  std::span<const TimedOp> ops;
  std::int64_t repeats = 1;
};

/// What one warp runs: its segments one after the other. It ends there, with or without an `exit`.
using WarpStream = std::vector<Segment>;

/// One CTA: a stream a warp. Warp w of it runs on sub-core w mod 4 where CTAs have multiples of 4 warps.
using CtaStream = std::vector<WarpStream>;

}  // namespace twofour::emu
