#include "twofour/isa/issue_timing.h"

#include "twofour/isa/error.h"

namespace twofour::isa {
namespace {

/// Dense-equivalent multiply-adds a cycle of one sub-core.
double rate(const Instruction& i, const Machine& machine) {
  const double dense = machine.fma_per_clk(i.a, i.c) * machine.mma_sync_share / machine.sub_cores_per_sm;
  return i.is_sparse() ? dense * machine.sparse_rate : dense;
}

}  // namespace

bool has_issue_timing(const Instruction& i, const Machine& machine) {
  return i.is_tensor_core() && requirement(i).sm <= machine.compute_capability && rate(i, machine) > 0;
}

// The classes and their numbers on an A100: Sun et al., TPDS 2023, tables 3 and 6: completion latency and
// saturated throughput of the large-k and small-k shapes. m8n8k16 reaches half of its peak (on Turing all of
// it). Rows that the paper lacks take the rule of their class. For sm_90 ptxas makes two BMMA.AND of one
// .xor.
IssueTiming issue_timing(const Instruction& i, const Machine& machine) {
  if (!has_issue_timing(i, machine))
    fail("machine {} (sm_{:.0f}) has no {}", machine.name, machine.compute_capability, ptx_name(i));
  double interval = i.fma() / rate(i, machine);
  const bool narrow = bits(i.a) <= 4;
  const bool small_m_8bit = i.shape.m == 8 && bits(i.a) == 8;
  const bool two_and = i.op == BitOp::xor_popc && machine.architecture == Architecture::hopper;
  if ((small_m_8bit && machine.compute_capability >= 80) || two_and) interval *= 2;
  double stretch = narrow ? machine.mma_stretch_narrow : machine.mma_stretch;
  const bool small_k_sparse = i.is_sparse() && interval <= 4;
  if (small_k_sparse) stretch = machine.mma_stretch_small_k_sparse;
  const double latency = machine.mma_latency_base + machine.mma_latency_per_interval * interval +
                         (narrow && interval >= 8 ? machine.mma_latency_narrow : 0);
  const bool in_paper = machine.compute_capability == 80 && i.a != ElementType::f64 && i.shape.m == 16 && i.a != ElementType::bf16 &&
                        !(narrow && i.is_sparse()) &&
                        (interval >= 8 || i.a == ElementType::f16 || small_k_sparse);
  return {interval, interval * stretch, latency, in_paper};
}

}  // namespace twofour::isa
