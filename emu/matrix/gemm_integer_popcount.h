#pragma once
#include "twofour/emu/matrix/gemm_paths.h"

namespace twofour::emu {

/// Single-bit GEMM with scalar population counts, for processors that cannot count ones in vectors. Private
/// to emu/matrix.
void gemm_popcount(const GemmTask& task, PackedMatrix& d);

}  // namespace twofour::emu
