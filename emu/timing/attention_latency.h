#pragma once
#include "twofour/emu/timing/gemm_latency.h"

namespace twofour::emu {

/// softmax(Q K^T) V of many heads as one kernel that keeps the scores in registers, one CTA a head of a
/// sequence, as TensorRT's fused multi-head attention for sequences of up to 512 tokens.
struct AttentionProblem {
  std::int64_t heads = 1;  ///< of all sequences together
  std::int64_t rows = 1, keys = 1, width = 64;
  isa::ElementType type = isa::ElementType::f16;
  double dram_bytes = 0, l2_bytes = 0;  ///< read and written by all heads
  Launch launch = Launch::graph;
};

/// A CTA loads Q, K and V, multiplies, exponentiates and normalises, and multiplies again. These phases
/// depend on each other; the CTAs that share an SM (as many as shared memory holds) overlap them. Schedule
/// stays 0. No such kernel was measured alone: `derived`. Throws Error as gemm_latency, and if one head does
/// not fit shared memory.
Latency attention_latency(const AttentionProblem& problem, const isa::Machine& machine,
                          const TimingConstants& constants = fitted_constants);

/// Whether one head of that size fits the shared memory of a CTA, and the kernels' 512 tokens.
bool attention_fits(std::int64_t rows, std::int64_t keys, std::int64_t width);

}  // namespace twofour::emu
