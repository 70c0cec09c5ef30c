#pragma once
// When the values of a function are live.
#include <vector>

#include "twofour/emu/profile/values.h"

namespace twofour::emu::profile {

/// Points [begin, end). The instruction that runs as the n-th in the text reads at point 2 n and writes at
/// 2 n + 1.
struct Range {
  int begin = 0, end = 0;
  bool operator==(const Range&) const = default;
};
/// In ascending order, without overlaps.
using Ranges = std::vector<Range>;

bool overlap(const Ranges& a, const Ranges& b);
/// The union.
Ranges joined(const Ranges& a, const Ranges& b);

/// Values that the instruction at a position reads, those of what is fused into it too; and writes.
std::vector<int> values_read(const ptx::Function& function, const Values& values, int position);
std::vector<int> values_written(const ptx::Function& function, const Values& values, int position);

/// Ranges of every value. `order`: positions in the order in which they run; it permutes each block. Throws
/// Error for a function whose sets would take more than 256 MiB.
std::vector<Ranges> live_ranges(const ptx::Function& function, const Blocks& blocks, const Values& values,
                                const std::vector<int>& order);

}  // namespace twofour::emu::profile
