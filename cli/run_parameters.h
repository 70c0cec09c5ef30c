#pragma once
// From --arg to the bytes of an entry's parameters.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "twofour/cli/run_argument.h"
#include "twofour/emu/ptx/module.h"

namespace twofour::cli {

/// ".u64 gemm_param_0", ".b8 gemm_param_1[48]".
std::string parameter_text(const emu::ptx::Variable& parameter);

/// The arguments in the order of the entry's parameters: by name if every argument has the name of a
/// parameter, else in the order given. Throws Error where numbers or sizes do not fit.
std::vector<RunArgument> ordered_arguments(const emu::ptx::Function& entry,
                                           std::vector<RunArgument> arguments);

/// Bytes as emu::ptx::Launch takes them. `addresses`: of each argument that is an array, else not read.
/// Numbers: a parameter declared .f32 or .f64 takes any number; .bN takes the bits of a number with a point
/// or an exponent as f32 or f64 (N 32 or 64); all others take integers that fit as signed or unsigned ones.
std::vector<std::byte> parameter_bytes(const emu::ptx::Function& entry,
                                       std::span<const RunArgument> arguments,
                                       std::span<const std::uint64_t> addresses);

}  // namespace twofour::cli
