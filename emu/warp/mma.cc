#include "twofour/emu/warp/mma.h"

#include "twofour/emu/warp/fast_mma.h"
#include "twofour/emu/warp/scalar_mma.h"
#include "twofour/emu/warp/wmma.h"
#include "twofour/isa/error.h"
#include "twofour/isa/lowering.h"

namespace twofour::emu {
namespace {

/// Whether the Tensor Core's window computes it, so that the architecture must have a rule.
bool is_windowed(const isa::Instruction& i, isa::Architecture architecture) {
  if (!isa::is_float(i.a) || i.a == isa::ElementType::f64) return false;
  return !i.is_quad_pair() || architecture == isa::Architecture::volta;
}

void check_rule(const isa::Instruction& i, isa::Architecture architecture) {
  if (!is_windowed(i, architecture)) return;
  const bool mixed_wmma = i.family == isa::Family::wmma_mma;
  const isa::ElementType accumulator = mixed_wmma ? isa::lowering(i).step.d : i.d;
  try {
    isa::block_rule(architecture, i.a, accumulator);
  } catch (const Error& e) {
    fail("{}: {}", isa::ptx_name(i), e.what());
  }
}

void check(const isa::Instruction& i, const MmaOperands& operands, const NumericOptions& options) {
  if (!i.multiplies())
    fail("{} does not multiply: it moves data (emu/warp/wmma_memory.h, ldmatrix.h, async_copy.h)",
         isa::ptx_name(i));
  if (i.is_sparse() && (operands.selector < 0 || operands.selector >= i.selectors()))
    fail("sparsity selector {} is out of range for {}: it takes 0 to {}", operands.selector, isa::ptx_name(i),
         i.selectors() - 1);
  if (options.satfinite && !i.has_satfinite()) fail("{} has no .satfinite form", isa::ptx_name(i));
  if (options.rounding != isa::Rounding::nearest_even && !i.has_rounding())
    fail("{} takes no rounding mode: only f64 instructions do", isa::ptx_name(i));
  check_rule(i, options.architecture);
}

Fragment mma(const isa::Instruction& i, const MmaOperands& operands, const NumericOptions& options) {
  Fragment d;
  return fast_mma(i, operands, options, d) ? d : scalar_mma(i, operands, options);
}

}  // namespace

Fragment execute_by_definition(const isa::Instruction& i, const MmaOperands& operands,
                               const NumericOptions& options) {
  check(i, operands, options);
  return i.is_mma() ? scalar_mma(i, operands, options) : wmma(i, operands, options, scalar_mma);
}

Fragment execute(const isa::Instruction& i, const MmaOperands& operands, const NumericOptions& options) {
  check(i, operands, options);
  return i.is_mma() ? mma(i, operands, options) : wmma(i, operands, options, mma);
}

}  // namespace twofour::emu
