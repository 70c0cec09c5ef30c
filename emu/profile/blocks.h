#pragma once
// Basic blocks of a PTX function.
#include <vector>

#include "twofour/emu/ptx/module.h"

namespace twofour::emu::profile {

struct Blocks {
  std::vector<int> first;              ///< position of each block; one more: the end of the code
  std::vector<std::vector<int>> next;  ///< of each block
  std::vector<int> of;                 ///< block of each position

  int count() const { return int(next.size()); }
};

/// A block ends with a branch, an end of the function or a call, guarded or not.
Blocks find_blocks(const ptx::Function& function);

}  // namespace twofour::emu::profile
