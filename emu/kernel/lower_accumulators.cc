#include "twofour/emu/kernel/lowering.h"
#include "twofour/emu/kernel/transfers.h"

namespace twofour::emu {
namespace {

/// Columns 2t and 2t + 1 of rows g + 8 half of C, in one load where rows have an even number of columns.
void load_c(WarpOps& ops, const WarpPlace& at, int i, int j) {
  const Kernel& k = at.kernel;
  const isa::Instruction& row = *k.problem.instruction;
  const int bits = isa::bits(row.c), together = k.problem.n % 2 == 0 ? 2 : 1;
  const int first = k.registers.accumulators + (i * k.mma_n + j) * k.registers.c_each;
  const std::int64_t row0 = at.work.tile_m * k.schedule.tile.m + at.row0() + i * row.shape.m;
  const std::int64_t column0 = at.work.tile_n * k.schedule.tile.n + at.column0() + 8 * j;
  for (int e = 0; e < row.shape.m / 4; e += together)
    add_transfers(ops, OpKind::load_global, Tensor::c, together * bits / 8, first + e * bits / 32,
                  [&](WarpOp& op, int lane, int) {
                    const std::int64_t r = row0 + lane / 4 + 8 * (e / 2),
                                       c = column0 + 2 * (lane % 4) + e % 2;
                    op.global[std::size_t(lane)] = r * packed_row_bytes(k.problem.n, bits) + c * bits / 8;
                    return r < k.problem.m && c < k.problem.n;
                  });
}

}  // namespace

void add_accumulators(WarpOps& ops, const WarpPlace& at) {
  const Kernel& k = at.kernel;
  if (!k.problem.c || at.work.chunk_begin != 0) {
    const KernelRegisters& r = k.registers;  // a 64-bit CS2R clears two
    for (int i = 0; i < k.mma_m * k.mma_n * r.c_each; i += 2) {
      ops.push_back(arithmetic(OpKind::integer, Action::zero, r.accumulators + i));
      ops.back().write.count = 2;
    }
    return;
  }
  for (int i = 0; i < k.mma_m; ++i)
    for (int j = 0; j < k.mma_n; ++j) load_c(ops, at, i, j);
}

}  // namespace twofour::emu
