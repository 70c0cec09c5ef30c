#pragma once
#include <cstdint>
#include <span>

#include "twofour/isa/architecture.h"
#include "twofour/isa/instruction.h"

namespace twofour::emu {

/// What is computed with IEEE fused multiply-adds instead of the Tensor Core's window.

/// The word of a NaN that an f64 instruction returns (CUDA's CUDART_NAN); which one the hardware gives is not
/// published for DMMA, so that NaN words of f64 are inferred.
inline constexpr std::uint64_t f64_nan = 0xfff8000000000000u;

/// f64: c, then fused multiply-adds with k ascending, each rounded as given. Any NaN gives f64_nan.
std::uint64_t double_dot(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b, std::uint64_t c,
                         isa::Rounding rounding);

/// mma.m8n8k4 with f16 inputs on sm_80 and later: the FP32 routine that ptxas 13.0 calls (traced for row.col;
/// the other orders by their opcodes). All operations round f32 to nearest even.
///   d f32:  d = c + fma(a3,b3, fma(a2,b2, fma(a1,b1, fma(a0,b0, +0))))   (c f16 is widened first)
///   d f16:  d = f16((c + fma(a1,b1, a0*b0)) + fma(a3,b3, a2*b2))
/// A NaN is 0x7fffffff (f16 0x7fff).
std::uint32_t quad_pair_dot(const isa::Instruction& i, std::span<const std::uint64_t> a,
                            std::span<const std::uint64_t> b, std::uint32_t c);

}  // namespace twofour::emu
