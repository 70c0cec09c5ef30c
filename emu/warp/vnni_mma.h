#pragma once
// Integer and single-bit mma of 16 rows on AVX-512 with VNNI, VBMI and VPOPCNTDQ. Private to emu/warp.
#include "twofour/emu/warp/mma.h"

namespace twofour::emu {

/// Its `multiply` is null where there is none for the instruction: 8 rows, another processor (simd_has_vnni).
/// `clamps`: .satfinite.
FastMma find_vnni_mma(const isa::Instruction& i, bool clamps);

}  // namespace twofour::emu
