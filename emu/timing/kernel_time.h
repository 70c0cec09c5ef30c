#pragma once
#include "twofour/emu/timing/gemm_latency.h"
#include "twofour/isa/instruction.h"

namespace twofour::emu {

/// A GEMM in the numbers that its kernels share. Sizes are doubles: none of them overflows.
struct GemmWork {
  double m, n, k, batch;
  isa::ElementType type;
  bool sparse;
  double element_bytes;        ///< of the dense operand
  double copy_bytes;           ///< that one lane copies: 16, 8 or 4 by cp.async, 2 or 1 through registers
  double a_density;            ///< bytes of A, values and metadata, over those of a dense A
  bool in_network;             ///< what DRAM delivers is known; else a benchmark repeats the kernel
  bool layer_profiled;         ///< timed as the layer profiler of the integer measurements does
  double a_bytes, b_bytes;     ///< that DRAM must deliver at least, for one GEMM of the batch
  double output_bytes;         ///< of one element of D
  double residual_bytes;       ///< that the epilogue reads for one element of D
  double epilogue_dram_bytes;  ///< to and from DRAM, all GEMMs of the batch
  double mma_fma;              ///< multiply-adds of the instruction, dense-equivalent
  double mma_interval;         ///< cycles between two of them on one sub-core
  double mma_latency;          ///< issue to dependent issue
  bool warpgroup;              ///< its operands come from shared memory once for four warps (wgmma)
  double ideal_cycles;         ///< every multiply-add at peak, all SMs
  double effective_cycles;     ///< the same as instruction streams reach it
  double throttle;             ///< how much longer they take at the clock that the power budget sustains
};

/// What `launch` counts around a kernel, cold start not included: of integers as measured, the layer profiler
/// too.
double launch_us(Launch launch, isa::ElementType type, bool gemv, const isa::Machine& machine,
                 const TimingConstants& constants);

/// Cycles of one kernel at the boost clock, cold start not included.
struct KernelTime {
  double cycles;
  double sm_cycles;  ///< of the busiest SM
  double dram_cycles;
  double epilogue_cycles;  ///< part of sm_cycles
};

/// Instruction, densities and floors of a problem among its neighbours.
GemmWork describe(const GemmProblem& problem, const KernelContext& context, const isa::Machine& machine);

/// A tile on one machine: what does not depend on how its CTAs share the work.
struct Occupancy {
  int ctas_per_sm;       ///< 0: the tile does not fit
  double tensor_cycles;  ///< of one CTA and k-chunk, as the next two; issue of narrow copies included
  double smem_cycles;
  double fill_bytes;
  double latency_cycles;
};
Occupancy occupancy(const GemmWork& work, const Tile& tile, const isa::Machine& machine);

/// The tile with as many of its stages as fit when `share` CTAs are to share an SM, at least two: libraries
/// build their kernels for chips of less shared memory (sm_75, sm_86) so.
Tile with_fitting_stages(const GemmWork& work, Tile tile, int share, const isa::Machine& machine);

/// CTAs of all output tiles.
double count_ctas(const GemmWork& work, const Tile& tile);

/// The CTAs of a kernel and the k-chunks of each.
struct Grid {
  double rows, columns;  ///< tiles of one GEMM of the batch
  double ctas;
  double iterations;  ///< k-chunks of the busiest CTA
  double resident;    ///< CTAs that an SM holds at once
  double rounds;      ///< of so many CTAs on the busiest SM
  double last;        ///< CTAs that it runs after them, fewer; 0: none
};
Grid grid(const GemmWork& work, const Schedule& schedule, const Occupancy& occupancy,
          const isa::Machine& machine);

/// The grid with a last round that is not full counted as a full one.
Grid in_whole_rounds(Grid grid);

/// Cycles that tiled_kernel cannot beat; cheap.
double lower_bound(const GemmWork& work, const Schedule& schedule, const Grid& grid,
                   const Occupancy& occupancy, const TimingConstants& constants);

/// A tiled kernel; fills the schedule's fields of the latency.
KernelTime tiled_kernel(const GemmWork& work, const Schedule& schedule, const Occupancy& occupancy,
                        const Grid& grid, const isa::Machine& machine, const TimingConstants& constants,
                        Latency& latency);

/// A kernel that streams the rows of the large operand, two (floats: four) a CTA, past the few columns of the
/// small one.
KernelTime gemv_kernel(const GemmWork& work, const isa::Machine& machine, const TimingConstants& constants);

}  // namespace twofour::emu
