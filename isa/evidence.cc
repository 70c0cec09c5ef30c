#include "twofour/isa/evidence.h"

#include "twofour/isa/error.h"
#include "twofour/isa/lowering.h"

namespace twofour::isa {
namespace {

using enum ElementType;
using enum Fidelity;

Evidence tensor_core_float(const Instruction& i, Architecture architecture) {
  const BlockRule& rule = block_rule(architecture, i.a, i.d);
  if (rule.fidelity == inferred) return {inferred, std::string(rule.source)};
  if (i.is_sparse())
    return {inferred, "dense rule on the compressed operand; nobody has published words of this mma.sp"};
  return {rule.fidelity, std::string(rule.source)};
}

Evidence quad_pair(const Instruction& i, Architecture architecture) {
  if (architecture == Architecture::volta) return tensor_core_float(i, architecture);
  if (architecture == Architecture::turing)
    fail("nobody has published what {} computes on turing", short_name(i));
  return {inferred, "ptxas 13.0 lowers it to FP32 multiply-adds; other versions may order them differently"};
}

Evidence of_wmma(const Instruction& i, Architecture architecture) {
  const Lowering low = lowering(i);
  Evidence e = evidence(low.step, architecture);
  const bool traced = architecture == Architecture::ampere || architecture == Architecture::ada;
  if (e.fidelity == hardware && !traced)
    return {inferred, "lowered as on sm_80, to " + sass_name(i) + ", which nobody has checked here"};
  e.source = "lowered to " + sass_name(i) + "; " + e.source;
  return e;
}

}  // namespace

Evidence evidence(const Instruction& i, Architecture architecture) {
  if (!i.multiplies()) return {defined, "PTX ISA: moves bits"};
  if (i.family == Family::wmma_mma) return of_wmma(i, architecture);
  if (i.a == f64) return {defined, "PTX ISA: IEEE fused multiply-add chain, k ascending"};
  if (!is_float(i.a)) return {defined, "PTX ISA: exact products, 32-bit wrap-around sum"};
  if (i.is_quad_pair()) return quad_pair(i, architecture);
  return tensor_core_float(i, architecture);
}

void require_measured(const Instruction& i, Architecture architecture) {
  const Evidence e = evidence(i, architecture);
  if (e.fidelity == inferred)
    fail("--strict: the arithmetic of {} on {} is inferred ({})", short_name(i), name(architecture),
         e.source);
}

}  // namespace twofour::isa
