#pragma once
#include <string>

#include "twofour/emu/kernel/kernel.h"
#include "twofour/emu/timing/conv_latency.h"
#include "twofour/emu/timing/sm_report.h"

namespace twofour::emu {

/// A GEMM kernel whose instructions were simulated on one SM, cycle by cycle, and extended to the machine.
struct KernelSimulation {
  double microseconds = 0;  ///< launch included, as the problem's `launch` says
  double cycles = 0;        ///< of the kernel at the boost clock, cold start included
  double sm_cycles = 0;     ///< of the busiest SM: all its CTAs
  double dram_cycles = 0;   ///< operands as often as they miss L2, and D unless all fits L2, at its bandwidth
  double power_cycles = 0;  ///< every multiply-add at the clock that the power budget sustains
  double second_kernel_cycles =
      0;  ///< of split-k: the kernel that adds the partial sums, cold start included
  double launch_us = 0;
  double tensor_floor_us = 0;  ///< every multiply-add at peak and boost clock
  double chunk_cycles = 0;     ///< steady state: of one k-chunk of every CTA that an SM holds
  double unsteadiness =
      0;  ///< how much that still changed when the runs were made longer; 0: simulated whole
  std::int64_t ctas = 0, ctas_of_busiest_sm = 0, chunks = 0;  ///< chunks: of one CTA
  int ctas_per_sm = 0;                                        ///< that fit
  double l2_hit = 1;                                          ///< of the bytes that CTAs fetch
  std::string bound;  ///< "launch", "DRAM", "power", or what binds the SM in the steady state
  SmReport steady;    ///< of the k-chunks in the steady state; of a whole run where it is short
  SmReport run;       ///< of the simulated run, prologues and epilogues included
  std::int64_t observed_cycles = 0;  ///< of the run that a listener sees, or would see
};

/// How the machine's CTAs fit an SM: shared memory, registers, warps, CTAs.
int ctas_per_sm(const Kernel& kernel, const isa::Machine& machine);

/// The GEMM of the latency model as a kernel: the m16n8 mma with the largest k and 32-bit accumulators,
/// output of output_bits. Sparse k is filled up to whole instructions.
KernelProblem kernel_problem(const GemmProblem& problem, const isa::Machine& machine);

/// Simulates as many CTAs as the busiest SM gets (at most three rounds of the occupancy) with shortened main
/// loops, longer ones until a k-chunk more takes the same time as those before, and extends that linearly to
/// the whole loop and to all rounds. The SM has an equal share of the bandwidth of L2 and DRAM with the
/// others that work; misses of L2 are spread evenly over the bytes fetched, so a tile that many CTAs want at
/// once costs most of them a hit. DRAM and the power budget then bound the whole machine. `listener` sees the
/// shortest run. Throws Error as plan_kernel and gemm_latency, and for a kernel that does not fit the
/// machine.
KernelSimulation simulate_kernel(const GemmProblem& problem, const Schedule& schedule,
                                 const isa::Machine& machine, SmListener* listener = nullptr);

/// The same of a convolution as an implicit GEMM, its channels filled up as implicit_gemm fills them: B is
/// fetched from the activations, whose bytes are all that DRAM delivers of it.
KernelSimulation simulate_kernel(const ConvProblem& problem, const Schedule& schedule,
                                 const isa::Machine& machine, SmListener* listener = nullptr);

}  // namespace twofour::emu
