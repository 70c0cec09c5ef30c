#pragma once
#include <nlohmann/json.hpp>

#include "twofour/emu/timing/gemm_latency.h"

namespace twofour::cli {

/// The GEMM of --m, --n, --k, --dtype, --sparse and --batch, counted as --launch says. Sizes are not checked.
emu::GemmProblem gemm_from_flags();
/// The same with a type that is not --dtype's.
emu::GemmProblem gemm_from_flags(isa::ElementType type);

/// The fields that tell a GEMM: "m" to "launch".
nlohmann::ordered_json gemm_json(const emu::GemmProblem& problem);

}  // namespace twofour::cli
