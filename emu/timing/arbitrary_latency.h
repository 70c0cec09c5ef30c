#pragma once
#include "twofour/emu/timing/conv_latency.h"

namespace twofour::emu {

/// A w_p a_q product as one kernel (APNN-TC, Feng et al., SC 2021, arXiv 2106.12169): all pairs of bit planes
/// as a single-bit GEMM of p m x q n x k; a CTA holds all planes of its outputs and combines their p q sums
/// before it stores m x n elements. What is counted:
///   operands   p bits a weight, q bits an activation, as stored
///   epilogue   every 32-bit sum passes through shared memory as in any kernel; D is m x n elements of
///              output_bits; and p q - 1 multiply-adds an element on the integer lanes, which wait for the
///              main loop
/// Not counted: rows of a tile that p or q does not divide, and the ones of bipolar operands' rows (counted
/// when the activations are packed). With p = q = 1 it is the latency of the b1 GEMM. Nobody measured these
/// kernels as this model needs it, so the answer is `estimated`; docs/precision.md compares with what
/// APNN-TC's authors published.
struct BitWork {
  int weight_bits = 1, activation_bits = 1;  ///< p and q, 1 to 8
  int output_bits = 1;                       ///< of an element of D as it is stored
};

/// gemm: sizes m, n, k of the product itself, batch and launch; its type, sparse and output_bits are not
/// read. Throws Error for p or q outside 1 to 8, and as gemm_latency.
Latency arbitrary_gemm_latency(const GemmProblem& gemm, const BitWork& work, const isa::Machine& machine,
                               const TimingConstants& constants = fitted_constants);
/// The same for a kernel among its neighbours; context.b_bytes are those of all planes.
Latency arbitrary_gemm_latency(const GemmProblem& gemm, const BitWork& work, const KernelContext& context,
                               const isa::Machine& machine,
                               const TimingConstants& constants = fitted_constants);

/// The implicit GEMM of a convolution; its tensor is q planes of one bit a channel. conv.type, sparse and
/// output_bits are not read.
Latency arbitrary_conv_latency(const ConvProblem& conv, const BitWork& work, const isa::Machine& machine,
                               const TimingConstants& constants = fitted_constants);

/// The single-bit GEMM that is run: p m x q n x k.
GemmProblem bit_gemm(const GemmProblem& gemm, const BitWork& work);

}  // namespace twofour::emu
