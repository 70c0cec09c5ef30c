#include "twofour/emu/warp/wmma.h"

#include <algorithm>
#include <bit>

#include "twofour/emu/numerics/half.h"
#include "twofour/isa/layout.h"
#include "twofour/isa/lowering.h"

namespace twofour::emu {
namespace {

using isa::ElementType;
using isa::Operand;

/// Registers of an operand that hold distinct elements: wmma's f16 A and B may repeat them.
int distinct_registers(const isa::Instruction& i, Operand o) {
  const isa::Shape t = isa::tile(i, o);
  return t.m * t.n * isa::bits(isa::element(i, o)) / (warp_lanes * 32);
}

/// `count` registers from `first` on.
Fragment part(const Fragment& f, int first, int count) {
  Fragment out;
  std::copy_n(f.word.begin() + first, count, out.word.begin());
  return out;
}

/// A or B of one step: the blocks' registers follow each other, and within a block those of the k steps. An
/// operand that all blocks share has the registers of one.
Fragment step_operand(const isa::Instruction& i, const isa::Lowering& low, Operand of_step, Operand of_wmma,
                      const Fragment& f, int block, int k_step) {
  const int count = isa::registers(low.step, of_step), whole = distinct_registers(i, of_wmma);
  return part(f, (block * low.k_steps + k_step) * count % whole, count);
}

/// The elements of a C fragment, f16, as f32: the same elements lie in twice the registers.
Fragment widen(const Fragment& f, int elements) {
  Fragment out;
  for (int lane = 0; lane < warp_lanes; ++lane)
    for (int index = 0; index < elements; ++index)
      put_element(
          out, lane, index, 32,
          std::bit_cast<std::uint32_t>(half_to_float(std::uint32_t(element_word(f, lane, index, 16)))));
  return out;
}

Fragment narrow(const Fragment& f, int elements) {
  Fragment out;
  for (int lane = 0; lane < warp_lanes; ++lane)
    for (int index = 0; index < elements; ++index)
      put_element(out, lane, index, 16,
                  float_to_half(std::bit_cast<float>(std::uint32_t(element_word(f, lane, index, 32)))));
  return out;
}

}  // namespace

Fragment wmma(const isa::Instruction& i, const MmaOperands& operands, const NumericOptions& options,
              MmaFunction step) {
  const isa::Lowering low = isa::lowering(i);
  if (low.blocks * low.k_steps == 1 && !low.transposed && !low.widens_c && !low.narrows_d)
    return step(low.step, operands, options);
  const int elements = isa::elements_per_lane(i, Operand::d), in_block = isa::registers(low.step, Operand::d);
  const Operand a_source = low.transposed ? Operand::b : Operand::a;
  const Operand b_source = low.transposed ? Operand::a : Operand::b;
  const Fragment &a = low.transposed ? operands.b : operands.a, &b = low.transposed ? operands.a : operands.b;
  const Fragment c = low.widens_c ? widen(operands.c, elements) : operands.c;
  Fragment d;
  for (int block = 0; block < low.blocks; ++block) {
    MmaOperands x;
    x.c = part(c, block * in_block, in_block);
    for (int k_step = 0; k_step < low.k_steps; ++k_step) {
      x.a = step_operand(i, low, Operand::a, a_source, a, block, k_step);
      x.b = step_operand(i, low, Operand::b, b_source, b, block, k_step);
      x.c = step(low.step, x, options);
    }
    std::copy_n(x.c.word.begin(), in_block, d.word.begin() + block * in_block);
  }
  return low.narrows_d ? narrow(d, elements) : d;
}

std::shared_ptr<const PreparedWmma> prepare_wmma(const isa::Instruction& i, const NumericOptions& options) {
  const auto w = std::make_shared<PreparedWmma>(PreparedWmma{isa::lowering(i), {}});
  if (w->lowering.widens_c || w->lowering.narrows_d) return nullptr;
  w->step = prepare(w->lowering.step, options, 0);
  w->whole_a = distinct_registers(i, w->lowering.transposed ? Operand::b : Operand::a);
  w->whole_b = distinct_registers(i, w->lowering.transposed ? Operand::a : Operand::b);
  return w;
}

void run_wmma(const PreparedWmma& w, const MmaRegisters& registers) {
  const isa::Lowering& low = w.lowering;
  const auto &a = low.transposed ? registers.b : registers.a, &b = low.transposed ? registers.a : registers.b;
  const int in_a = w.step.a_registers, in_b = w.step.b_registers, in_block = w.step.d_registers;
  std::array<LaneRegister, max_operand_registers> d;  // the registers of D may be some of the others
  for (int block = 0; block < low.blocks; ++block)
    for (int k_step = 0; k_step < low.k_steps; ++k_step) {
      const int part = block * low.k_steps + k_step;
      MmaRegisters x;
      std::copy_n(a.begin() + part * in_a % w.whole_a, in_a, x.a.begin());
      std::copy_n(b.begin() + part * in_b % w.whole_b, in_b, x.b.begin());
      for (int n = 0; n < in_block; ++n) {
        const auto r = std::size_t(block * in_block + n);
        x.d[std::size_t(n)] = d[r].data();
        x.c[std::size_t(n)] = k_step == 0 ? registers.c[r] : d[r].data();
      }
      run(w.step, x);
    }
  for (std::size_t r = 0; r < std::size_t(low.blocks * in_block); ++r)
    if (registers.d[r] != nullptr) std::copy_n(d[r].begin(), std::size_t{warp_lanes}, registers.d[r]);
}

}  // namespace twofour::emu
