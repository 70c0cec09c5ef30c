#pragma once
#include <vector>

#include "twofour/emu/kernel/kernel.h"
#include "twofour/emu/kernel/warp_op.h"

namespace twofour::emu {

/// The instructions of one warp of a CTA for one piece of work, in the order of issue. They come a segment at
/// a time, so that a long k takes no memory: segment 0 is the prologue (addresses, accumulators, the first
/// stages - 1 k-chunks), then one segment a k-chunk, then the epilogue.
///
/// The main loop is that of CUTLASS's multistage kernels (mma_multistage.h): while one instruction step of k
/// multiplies, ldmatrix fills the other buffer with the next and cp.async fetches k-chunk + stages - 1;
/// before the last step, cp.async.wait_group stages - 2 and a barrier make the next k-chunk readable. Past
/// the end of k the same instructions are issued: copies with a false predicate, and ldmatrix whose result is
/// not used. The mma of a step run through the warp tile in serpentines, B's fragment staying. Where a
/// k-chunk is a single step, the wait comes first.
class WarpProgram {
 public:
  /// The kernel must outlive this.
  WarpProgram(const Kernel& kernel, const Work& work, int warp);

  int segments() const { return chunks() + 2; }
  /// Lines of the listing: those of the prologue, of the main loop (the same for every k-chunk), of the
  /// epilogue.
  std::vector<WarpOp> segment(int index) const;

 private:
  int chunks() const { return work_.chunk_end - work_.chunk_begin; }
  std::vector<WarpOp> prologue() const;
  std::vector<WarpOp> main_loop(int chunk) const;

  const Kernel& k_;
  Work work_;
  int warp_;
  std::size_t prologue_lines_, loop_lines_;
};

}  // namespace twofour::emu
