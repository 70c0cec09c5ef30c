#include "twofour/emu/profile/block_order.h"

#include <numeric>

namespace twofour::emu::profile {

std::vector<int> block_order(const ptx::Function& function, const Blocks&, const Values&,
                             const isa::Machine&) {
  std::vector<int> order(function.code.size());
  std::iota(order.begin(), order.end(), 0);
  return order;
}

}  // namespace twofour::emu::profile
