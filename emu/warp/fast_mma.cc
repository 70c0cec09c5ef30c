#include "twofour/emu/warp/fast_mma.h"

namespace twofour::emu {

bool fast_mma(const isa::Instruction& i, const MmaOperands& operands, const NumericOptions& options,
              Fragment& d) {
  if (i.is_quad_pair() || i.a == isa::ElementType::f64) return false;
  if (isa::is_float(i.a)) return fast_float_mma(i, operands, options, d);
  fast_integer_mma(i, operands, options.satfinite, d);
  return true;
}

}  // namespace twofour::emu
