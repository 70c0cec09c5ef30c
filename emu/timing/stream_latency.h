#pragma once
#include "twofour/emu/timing/gemm_latency.h"

namespace twofour::emu {

/// A kernel that streams tensors past the CUDA cores: pooling, activations, normalisation, softmax, depthwise
/// convolution.
struct StreamProblem {
  double dram_bytes = 0;          ///< read and written
  double l2_bytes = 0;            ///< all that it moves, DRAM's share included
  double fma = 0;                 ///< 32-bit multiply-adds on the CUDA cores
  Launch launch = Launch::graph;  ///< as_measured counts as graph: no measurement is of such kernels
};

/// The longest of DRAM, L2 and arithmetic (they overlap as in a GEMM), one DRAM round trip, launch and cold
/// start. Schedule, CTAs and iteration stay 0. No such kernel was measured: `estimated`, with
/// the band of float GEMMs of at most 16 rows, which stream too, widened as for a type never measured.
Latency stream_latency(const StreamProblem& problem, const isa::Machine& machine,
                       const TimingConstants& constants = fitted_constants);

}  // namespace twofour::emu
