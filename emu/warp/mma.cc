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

void check(const isa::Instruction& i, int selector, const NumericOptions& options) {
  if (!i.multiplies())
    fail("{} does not multiply: it moves data (emu/warp/wmma_memory.h, ldmatrix.h, async_copy.h)",
         isa::ptx_name(i));
  if (i.is_sparse() && (selector < 0 || selector >= i.selectors()))
    fail("sparsity selector {} is out of range for {}: it takes 0 to {}", selector, isa::ptx_name(i),
         i.selectors() - 1);
  if (options.satfinite && !i.has_satfinite()) fail("{} has no .satfinite form", isa::ptx_name(i));
  if (options.rounding != isa::Rounding::nearest_even && !i.has_rounding())
    fail("{} takes no rounding mode: only f64 instructions do", isa::ptx_name(i));
  check_rule(i, options.architecture);
}

PreparedMma look_up(const isa::Instruction& i, const NumericOptions& options, int selector) {
  PreparedMma p{&i, options, selector};
  p.a_registers = isa::registers(i, isa::Operand::a);
  p.b_registers = isa::registers(i, isa::Operand::b);
  p.c_registers = isa::registers(i, isa::Operand::c);
  p.d_registers = isa::registers(i, isa::Operand::d);
  if (i.is_mma()) find_fast_mma(p);
  return p;
}

Fragment mma(const isa::Instruction& i, const MmaOperands& operands, const NumericOptions& options) {
  const PreparedMma p = look_up(i, options, operands.selector);
  Fragment d;
  return fast_mma(p, operands, d) ? d : scalar_mma(i, operands, options);
}

Fragment by_definition(const PreparedMma& p, const MmaOperands& x) {
  return p.instruction->is_mma() ? scalar_mma(*p.instruction, x, p.options)
                                 : wmma(*p.instruction, x, p.options, mma);
}

}  // namespace

Fragment execute_by_definition(const isa::Instruction& i, const MmaOperands& operands,
                               const NumericOptions& options) {
  check(i, operands.selector, options);
  return i.is_mma() ? scalar_mma(i, operands, options) : wmma(i, operands, options, scalar_mma);
}

Fragment execute(const isa::Instruction& i, const MmaOperands& operands, const NumericOptions& options) {
  check(i, operands.selector, options);
  return i.is_mma() ? mma(i, operands, options) : wmma(i, operands, options, mma);
}

PreparedMma prepare(const isa::Instruction& i, const NumericOptions& options, int selector) {
  check(i, selector, options);
  PreparedMma p = look_up(i, options, selector);
  if (!i.is_mma()) p.wmma = prepare_wmma(i, options);
  return p;
}

PreparedMma prepare_wide(const isa::Instruction& i, const NumericOptions& options) {
  check(i, 0, options);
  PreparedMma p{&i, options};
  p.wide = true;
  if (i.is_mma() && i.shape.m == 8 && options.rounding == isa::Rounding::nearest_even)
    p.fast = wide_double_mma();
  return p;
}

void run_by_definition(const PreparedMma& p, const MmaRegisters& registers) {
  put_registers(p, by_definition(p, operands_of(p, registers)), registers);
}

void run(const PreparedMma& p, const MmaRegisters& registers) {
  if (p.wmma != nullptr) return run_wmma(*p.wmma, registers);
  if (!run_fast(p, registers)) run_by_definition(p, registers);
}

}  // namespace twofour::emu
