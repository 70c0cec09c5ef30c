#pragma once
// mma and mma.sp from registers to registers without the scalar definition, which they equal bit for bit.
// Rows of A meet eight columns of B at a time. Private to emu/warp.
#include "twofour/emu/warp/mma.h"

namespace twofour::emu {

/// Sets d and returns true, or returns false: the instruction (f64, quad pair) or these operands (NaN,
/// infinities, exponents too far apart) need the scalar definition. Operands and options are as checked by
/// execute().
bool fast_mma(const isa::Instruction& i, const MmaOperands& operands, const NumericOptions& options,
              Fragment& d);

/// fast_mma for f16, bf16, tf32 and fp8 inputs, and for integers and single bits.
bool fast_float_mma(const isa::Instruction& i, const MmaOperands& operands, const NumericOptions& options,
                    Fragment& d);
void fast_integer_mma(const isa::Instruction& i, const MmaOperands& operands, bool satfinite, Fragment& d);

}  // namespace twofour::emu
