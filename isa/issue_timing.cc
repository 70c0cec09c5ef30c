#include "twofour/isa/instruction.h"

namespace twofour::isa {
namespace {

using enum ElementType;

/// Throughput of a type relative to f16 (256 FMA per cycle and sub-core). Source: NVIDIA A100 whitepaper.
double rate_factor(ElementType a) {
  switch (a) {
    case f64: return 1.0 / 16;
    case tf32: return 0.5;
    case u8:
    case s8: return 2;
    case u4:
    case s4: return 4;
    case b1: return 16;
    default: return 1;
  }
}

}  // namespace

// Source: Sun et al., TPDS 2023, tables 3 and 6 (A100): completion latency and saturated throughput of the
// large-k and small-k shapes. m8n8k16 reaches half of its peak. Rows that the paper lacks take the rule of
// their class.
IssueTiming issue_timing(const Instruction& i) {
  const double factor = rate_factor(i.a) * (i.is_sparse() ? 2 : 1);
  double interval = i.fma() / (256 * factor);
  const bool narrow = bits(i.a) <= 4;
  const bool small_m_8bit = i.shape.m == 8 && bits(i.a) == 8;
  if (small_m_8bit) interval *= 2;
  double stretch = narrow ? 1.12 : 1.03;
  const bool small_k_sparse = i.is_sparse() && interval <= 4;
  if (small_k_sparse) stretch = 6.25 / 4;
  const double latency = 10.7 + 1.75 * interval + (narrow && interval >= 8 ? 1.4 : 0);
  const bool in_paper = i.a != f64 && i.shape.m == 16 && i.a != bf16 && !(narrow && i.is_sparse()) &&
                        (interval >= 8 || i.a == f16 || small_k_sparse);
  return {interval, interval * stretch, latency, in_paper};
}

}  // namespace twofour::isa
