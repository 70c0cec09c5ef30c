#pragma once
#include <string>

#include "twofour/emu/kernel/warp_op.h"

namespace twofour::emu {

/// One line of a kernel's listing, PTX-like: name and operands, R0..R254 the lane's registers, a shared or
/// global byte address of the first active lane in brackets; after it what the addresses of all lanes cost.
std::string listing_line(const WarpOp& op);

}  // namespace twofour::emu
