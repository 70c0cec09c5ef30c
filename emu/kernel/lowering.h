#pragma once
// Pieces of the tile programs of warp_program.h. Private to emu/kernel. Each appends to a list of
// instructions.
#include <vector>

#include "twofour/emu/kernel/kernel.h"
#include "twofour/emu/kernel/warp_op.h"

namespace twofour::emu {

using WarpOps = std::vector<WarpOp>;

/// What the pieces are made for: one warp, one piece of work.
struct WarpPlace {
  const Kernel& kernel;
  const Work& work;
  int warp;

  int row0() const { return warp / kernel.schedule.tile.warps_n * kernel.warp_m; }  ///< of the CTA tile
  int column0() const { return warp % kernel.schedule.tile.warps_n * kernel.warp_n; }
};

/// Bytes of a row of a PackedMatrix.
constexpr std::int64_t packed_row_bytes(std::int64_t columns, int bits) {
  return (columns * bits + 7) / 8;
}
constexpr RegisterRange range(int first, int count) {
  return {std::uint16_t(first), std::uint16_t(count)};
}
/// An arithmetic instruction on registers.
WarpOp arithmetic(OpKind kind, Action action, int write, std::initializer_list<int> read = {});
/// `count` instructions of address and loop arithmetic, which depend on nothing that is modelled.
void add_bookkeeping(WarpOps& ops, int count);
void add_simple(WarpOps& ops, OpKind kind, int argument = 0);

/// cp.async instructions of a warp for one k-chunk (counted from the first of the work).
int copies_per_chunk(const Kernel& kernel);
/// Number `index` of them, with its address arithmetic; no lane takes part past the end of the work's k.
void add_copy(WarpOps& ops, const WarpPlace& place, int chunk, int index);

/// Shared memory to the fragment buffer that a step of a k-chunk reads.
void add_fragment_loads(WarpOps& ops, const WarpPlace& place, int chunk, int step);
/// The mma of a step.
void add_mmas(WarpOps& ops, const WarpPlace& place, int chunk, int step);

/// The accumulators from zero or from C.
void add_accumulators(WarpOps& ops, const WarpPlace& place);
/// Accumulators through shared memory to D or the workspace, sums of other CTAs added, fused arithmetic.
void add_epilogue(WarpOps& ops, const WarpPlace& place);

}  // namespace twofour::emu
