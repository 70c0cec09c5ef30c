#pragma once
#include <string_view>

#include "twofour/emu/tune/task.h"

namespace twofour::emu {

/// What one CTA of a schedule takes of an SM.
struct Footprint {
  double shared_bytes;  ///< A, its metadata and B, of every stage
  double registers;  ///< 32-bit, of one thread: accumulators, two sets of fragments of a 32-byte k-step, and
                     ///< 40 for addresses, as the latency model estimates them; not clipped to 255
  int warps;
};
Footprint footprint(const Schedule& schedule, const GemmProblem& problem);

/// CTAs of that footprint on one SM; 0: none. 1 KiB of shared memory a CTA is the system's (CUDA C++
/// programming guide, compute capability 8.0).
int resident_ctas(const Footprint& footprint, const isa::Machine& machine);

/// Why a kernel of this schedule cannot be built or launched for the task; empty when it can. The rules:
/// a warp holds whole m16n8 tiles of whole mma steps along k; at least two stages; at most 1024 threads;
/// shared memory of a CTA, 255 registers of a thread and all of a CTA's in one SM; cp.async no wider than the
/// rows allow; every CTA of split-k and stream-K has two k-chunks or more (Osama et al., Stream-K, 2023); the
/// raster no wider than the matrix has columns of tiles, rounded up to a power of two.
std::string_view illegality(const Schedule& schedule, const TuningTask& task, const isa::Machine& machine);

}  // namespace twofour::emu
