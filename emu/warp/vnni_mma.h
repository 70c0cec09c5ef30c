#pragma once
// Integer and single-bit mma of 16 rows on AVX-512 with VNNI and VPOPCNTDQ. Private to emu/warp.
#include "twofour/emu/warp/mma.h"

namespace twofour::emu {

/// Null where there is none for the instruction: 8 rows, another processor (simd_has_vnni).
bool (*find_vnni_mma(const isa::Instruction& i))(const PreparedMma&, const MmaRegisters&);

}  // namespace twofour::emu
