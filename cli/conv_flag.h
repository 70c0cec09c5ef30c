#pragma once
#include "twofour/emu/timing/conv_latency.h"

namespace twofour::cli {

/// Whether --conv names a convolution in place of --m, --n and --k.
bool conv_is_given();

/// The convolution of --conv N,H,W,C,K,R,S,stride,pad in the type of --dtype, --sparse, as --launch counts
/// it. Throws Error that says what is missing.
emu::ConvProblem conv_from_flag();
/// The same with a type that is not --dtype's.
emu::ConvProblem conv_from_flag(isa::ElementType type);

}  // namespace twofour::cli
