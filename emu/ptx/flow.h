#pragma once
// Where the lanes of a warp that took different ways meet again: the immediate post-dominator of the branch.
#include <span>
#include <vector>

namespace twofour::emu::ptx {

/// A position in a function's code that may not be followed by the next one.
struct Branch {
  int at = 0;
  std::vector<int> targets;
  bool falls_through = false;  ///< the next position may follow too; no targets and false: the function ends
};

/// For every branch, in the order given, the position at which all its ways meet; -1 if they meet nowhere
/// before the end. Ways that end the function early (all ends but the last in the text) do not count, so that
/// the other lanes still meet; inside such ways all ends count. `branches` are in order of `at`; positions
/// are 0 .. count-1, and running past the last one ends the function. Time n log n in the
/// branches and their targets.
std::vector<int> meeting_points(int count, std::span<const Branch> branches);

}  // namespace twofour::emu::ptx
