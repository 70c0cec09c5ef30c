#pragma once
#include <vector>

#include "twofour/emu/kernel/kernel.h"
#include "twofour/emu/timing/sm_stream.h"

namespace twofour::emu {

/// The instructions of a CTA as streams whose main loops may be shortened: all k-chunks that fetch another
/// one are alike to the pipeline, so one stands for them.
class KernelStreams {
 public:
  /// The kernel must outlive this. `row`: the work of a CTA (emu::grid).
  KernelStreams(const Kernel& kernel, const std::vector<Work>& row);

  /// The CTA with at most `most` k-chunks of each piece of work (but never fewer than `stages`). The streams
  /// point into this object.
  CtaStream cta(int most) const;
  /// k-chunks of cta(most) and of the CTA as it is.
  std::int64_t chunks(int most) const;
  std::int64_t chunks() const { return chunks(1 << 30); }
  /// Bytes that the CTA's cp.async fetch.
  double fetched_bytes() const;

 private:
  /// A warp's part of a piece of work. Its loop is one k-chunk that fetches, repeated; the last stages - 1
  /// k-chunks fetch nothing.
  struct Part {
    std::vector<TimedOp> prologue, loop, end;
    int chunks, loops;  ///< loops: of the whole piece
  };
  int loops(const Part& part, int most) const;

  std::vector<std::vector<Part>> warps_;
  std::vector<TimedOp> barrier_, exit_;
};

}  // namespace twofour::emu
