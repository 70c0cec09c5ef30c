#pragma once
#include "twofour/emu/arbitrary/bit_planes.h"
#include "twofour/emu/matrix/conv.h"
#include "twofour/emu/matrix/gemm.h"
#include "twofour/emu/matrix/verify.h"

namespace twofour::emu {

/// The single-bit mma that products of an encoding are computed with, of the largest k that the architecture
/// has: XOR for two bipolar operands, else AND; sm_75 has XOR only. Throws Error where there is none (volta).
const isa::Instruction& bit_instruction(BitEncoding encoding, isa::Architecture architecture);

/// D[M x N] = W[M x K] X[K x N] in s32, exact: all pairs of planes as one single-bit GEMM of p M x q N x K,
/// and the sums over the planes (APNN-TC's batched BMMA). Any single-bit instruction serves any encoding:
/// popc(a & b) = (popc a + popc b - popc(a ^ b)) / 2; the ones of single rows are counted apart. K is filled
/// up to the instruction's k with zeros, which change no sum: of bipolar operands the K in the formula is the
/// one before. Runs on all OpenMP threads. Throws Error for planes that do not fit the form or each other, as
/// check(form, K) and as gemm.
PackedMatrix arbitrary_gemm(const BitForm& form, const BitPlanes& weights, const BitPlanes& activations,
                            const isa::Instruction& instruction, const NumericOptions& options = {});

/// Implicit-GEMM convolution. weights: Cout rows x K, K in the order r, s, c; activations: batch*H*W rows x C
/// (NHWC). The result is NHWC: batch*P*Q rows x Cout. Throws Error too for two bipolar operands with padding:
/// a pixel outside the image is 0, which they have not.
PackedMatrix arbitrary_conv2d(const BitForm& form, const ConvShape& shape, const BitPlanes& weights,
                              const BitPlanes& activations, const isa::Instruction& instruction,
                              const NumericOptions& options = {});

/// Checks D = W X (activations as their transpose, N x K) against arbitrary_dot: every element, or every
/// element of evenly spread rows where all of them would take over 2^32 multiply-adds.
Verification verify_arbitrary(const BitForm& form, const PackedMatrix& weights,
                              const PackedMatrix& activations_transposed, const PackedMatrix& d);

}  // namespace twofour::emu
