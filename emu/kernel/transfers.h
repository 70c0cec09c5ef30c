#pragma once
// Loads and stores of registers. Private to emu/kernel.
#include <algorithm>

#include "twofour/emu/kernel/lowering.h"

namespace twofour::emu {

/// `bytes` a lane in instructions of at most 16: from or to registers from `first` on. address(op, lane,
/// byte) sets a lane's address and returns whether it takes part.
template <class Address>
void add_transfers(WarpOps& ops, OpKind kind, Tensor tensor, int bytes, int first, Address address) {
  for (int done = 0; done < bytes;) {
    const int size = std::min(bytes - done, 16);
    WarpOp op;
    op.kind = kind;
    op.tensor = tensor;
    op.bytes = size;
    op.active = 0;
    const RegisterRange data = range(first + done / 4, (size + 3) / 4);
    const bool loads = kind == OpKind::load_shared || kind == OpKind::load_global;
    (loads ? op.write : op.read[0]) = data;
    op.read[1] = range(2, tensor == Tensor::none ? 1 : 2);
    for (int lane = 0; lane < warp_lanes; ++lane)
      if (address(op, lane, done)) op.active |= 1u << lane;
    if (tensor != Tensor::none) add_bookkeeping(ops, 2);
    ops.push_back(op);
    done += size;
  }
}

}  // namespace twofour::emu
