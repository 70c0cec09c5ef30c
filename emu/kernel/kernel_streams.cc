#include "twofour/emu/kernel/kernel_streams.h"

#include <algorithm>

#include "twofour/emu/kernel/warp_program.h"

namespace twofour::emu {
namespace {

/// Segments [first, last) of a warp's program.
std::vector<TimedOp> segments(const WarpProgram& program, int first, int last) {
  std::vector<TimedOp> ops;
  for (int s = first; s < last; ++s)
    for (const WarpOp& op : program.segment(s)) ops.push_back(timed(op));
  return ops;
}

double bytes(const std::vector<TimedOp>& ops) {
  double sum = 0;
  for (const TimedOp& op : ops)
    if (op.kind == OpKind::cp_async) sum += op.bytes;
  return sum;
}

}  // namespace

KernelStreams::KernelStreams(const Kernel& kernel, const std::vector<Work>& row)
    : warps_(static_cast<std::size_t>(kernel.warps())),
      barrier_{TimedOp{.kind = OpKind::barrier}},
      exit_{TimedOp{.kind = OpKind::exit}} {
  const int stages = kernel.schedule.tile.stages;
  for (int warp = 0; warp < kernel.warps(); ++warp) {
    for (Work work : row) {
      Part part{};
      part.chunks = work.chunk_end - work.chunk_begin;
      part.loops = std::max(part.chunks - (stages - 1), 0);
      // One looping k-chunk stands for all.
      if (part.loops > 0) work.chunk_end = work.chunk_begin + stages;
      const WarpProgram program(kernel, work, warp);
      const int loop = part.loops > 0 ? 1 : 0;
      part.prologue = segments(program, 0, 1);
      part.loop = segments(program, 1, 1 + loop);
      part.end = segments(program, 1 + loop, program.segments());
      warps_[static_cast<std::size_t>(warp)].push_back(std::move(part));
    }
  }
}

int KernelStreams::loops(const Part& part, int most) const {
  const int rest = part.chunks - part.loops;
  return std::min(part.loops, std::max(most - rest, 1));
}

CtaStream KernelStreams::cta(int most) const {
  CtaStream cta;
  for (const auto& parts : warps_) {
    WarpStream stream;
    for (std::size_t p = 0; p < parts.size(); ++p) {
      if (p > 0) stream.push_back({barrier_, 1});
      stream.push_back({parts[p].prologue, 1});
      stream.push_back({parts[p].loop, loops(parts[p], most)});
      stream.push_back({parts[p].end, 1});
    }
    stream.push_back({exit_, 1});
    cta.push_back(std::move(stream));
  }
  return cta;
}

std::int64_t KernelStreams::chunks(int most) const {
  std::int64_t sum = 0;
  for (const Part& part : warps_.front()) sum += part.chunks - part.loops + loops(part, most);
  return sum;
}

double KernelStreams::fetched_bytes() const {
  double sum = 0;
  for (const auto& parts : warps_)
    for (const Part& part : parts)
      sum += bytes(part.prologue) + bytes(part.loop) * part.loops + bytes(part.end);
  return sum;
}

}  // namespace twofour::emu
