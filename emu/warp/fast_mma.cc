#include "twofour/emu/warp/fast_mma.h"

#include <algorithm>

#include "twofour/emu/warp/vnni_mma.h"

namespace twofour::emu {
namespace {

template <class Word>
void take(const MmaRegisters::Words<Word>& from, int count, Fragment& to) {
  for (std::size_t r = 0; r < std::size_t(count); ++r)
    std::copy_n(from[r], std::size_t{warp_lanes}, to.word[r].begin());
}

FastMma whole(bool (*multiply)(const PreparedMma&, const std::byte*, const std::byte*, const MmaRegisters&)) {
  FastMma fast;
  fast.multiply = multiply;
  return fast;
}

}  // namespace

void find_fast_mma(PreparedMma& p) {
  const isa::Instruction& i = *p.instruction;
  if (i.is_quad_pair()) return;
  if (i.a == isa::ElementType::f64) {
    if (i.shape.m == 8 && p.options.rounding == isa::Rounding::nearest_even) p.fast = whole(fast_double_mma);
    return;
  }
  if (!isa::is_float(i.a)) {
    p.fast = find_vnni_mma(i, p.options.satfinite);
    if (p.fast.multiply == nullptr) p.fast = whole(fast_integer_mma);
    return;
  }
  if (isa::bits(i.a) < 16) return;
  p.rule = window_rule(p.options.architecture, i.a, i.d, i.stored_k());
  if (i.stored_k() % p.rule.products == 0) p.fast = fast_float_mma();
}

MmaOperands operands_of(const PreparedMma& p, const MmaRegisters& registers) {
  MmaOperands x;
  take(registers.a, p.a_registers, x.a);
  take(registers.b, p.b_registers, x.b);
  take(registers.c, p.c_registers, x.c);
  if (registers.metadata != nullptr)
    std::copy_n(registers.metadata, std::size_t{warp_lanes}, x.metadata.begin());
  x.selector = p.selector;
  return x;
}

void put_registers(const PreparedMma& p, const Fragment& d, const MmaRegisters& registers) {
  for (std::size_t r = 0; r < std::size_t(p.d_registers); ++r)
    if (registers.d[r] != nullptr) std::copy_n(d.word[r].begin(), std::size_t{warp_lanes}, registers.d[r]);
}

bool run_fast(const PreparedMma& p, const MmaRegisters& r) {
  if (p.fast.multiply == nullptr) return false;
  alignas(64) std::byte a[FastMma::max_a_bytes], b[FastMma::max_b_bytes];
  if (p.fast.take_a != nullptr) p.fast.take_a(p, r, a);
  if (p.fast.take_b != nullptr) p.fast.take_b(p, r, b);
  return p.fast.multiply(p, a, b, r);
}

bool fast_mma(const PreparedMma& p, const MmaOperands& operands, Fragment& d) {
  MmaRegisters r;
  for (std::size_t n = 0; n < max_operand_registers; ++n) {
    r.a[n] = operands.a.word[n].data();
    r.b[n] = operands.b.word[n].data();
    r.c[n] = operands.c.word[n].data();
    r.d[n] = d.word[n].data();
  }
  r.metadata = operands.metadata.data();
  return run_fast(p, r);
}

}  // namespace twofour::emu
