#pragma once
#include "twofour/isa/machine.h"

namespace twofour::emu {

/// What one SM gets of the memory behind its L1 while the others run too, and where its bytes are found. Who
/// knows the whole kernel gives it; the defaults are an SM whose neighbours do the same, all hits in L2.
struct MemoryShare {
  double l2_bytes_per_clk;    ///< at most the machine's l2_bytes_per_clk_sm
  double dram_bytes_per_clk;  ///< of what L2 misses
  double l1_hit = 0;          ///< of the bytes of LDG; cp.async passes L1 by
  double l2_hit = 1;          ///< of the bytes that are read from L2
  bool write_back = false;    ///< what is stored leaves L2 for DRAM while the kernel runs: it does not fit
};

/// Every SM takes an equal part of the bandwidth of L2 and of DRAM.
MemoryShare equal_share(const isa::Machine& machine);

/// Constants of the pipeline that the machine file lacks.
struct PipelineConstants {
  /// Cycles that mma saves when its C is the D of the mma that its warp issued just before: the accumulator
  /// has not gone through the register file. A loop over i > 1 independent mma takes L + this where it waits
  /// for results. Fitted once, on the nine 4-warp rows with a published number of independent mma in
  /// data/timing/mma_latency_a100.csv.
  double accumulator_forwarding = 2.3;
  /// Memory instructions that a sub-core holds between issue and the shared-memory or L1 pipe, each queue.
  /// Huerta et al., "Analyzing Modern NVIDIA GPU cores", 2025 (GA10x).
  int memory_queue = 5;
  /// Special-function lanes of an SM. CUDA C++ programming guide, arithmetic throughput at 8.0.
  int special_lanes = 16;
  /// FP64 operations a cycle of an SM. The same table at 8.0 (8.6 and 8.9 have 2, 9.0 has 64).
  int fp64_lanes = 32;
  /// Bytes of global requests that the L1 of an SM looks up a cycle: one line. Assumed.
  double l1_lookup_bytes = 128;
};

/// What the simulator of one SM runs with.
struct SmParameters {
  isa::Machine machine;
  MemoryShare share;
  PipelineConstants constants = {};
};

}  // namespace twofour::emu
