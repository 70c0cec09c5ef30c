#pragma once
// IEEE functions that alu_function.cc shares with the arithmetic files. Private to emu/ptx.
#include "twofour/emu/ptx/alu_number.h"

namespace twofour::emu::ptx {

AluFunction reciprocal_f32(Round mode, bool ftz);
AluFunction square_root_f32(Round mode, bool ftz);
AluFunction reciprocal_f64(Round mode);
AluFunction square_root_f64(Round mode);

}  // namespace twofour::emu::ptx
