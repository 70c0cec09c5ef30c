#pragma once
#include <torch/torch.h>

#include "twofour/nas/train/quantise.h"

namespace twofour::nas {

/// What the layer's instruction sees of its activations, as real numbers. Integers: code * step with the
/// codes of activation_code(); f16 and bf16: rounded to nearest even; tf32: to nearest, ties away from zero,
/// as cvt.rna.tf32.f32 does; f32: x itself. Gradients: straight through inside the range, none outside; the
/// step's is that of LSQ (Esser et al., ICLR 2020, arXiv 1902.08153). x: N x C x H x W, step: one element.
/// The bits do not depend on the number of threads.
torch::Tensor quantise_input(const torch::Tensor& x, const torch::Tensor& step, Quantiser quantiser);

/// How the pruned weights of one layer are chosen and trained.
struct Pruning {
  PrunedGradient gradient;
  torch::Tensor mask;  ///< as the weights: 1 kept, 0 pruned; undefined: by magnitude of the present weights
};

/// The same for weights (Cout x Cin x R x S, step: Cout): mask first, then round to code * step_c; one bit is
/// step_c * sign(w). Weights that stay receive the gradient (none where integers clip), pruned ones what
/// `pruning` says; a dense quantiser ignores it.
torch::Tensor quantise_weight(const torch::Tensor& w, const torch::Tensor& step, Quantiser quantiser,
                              const Pruning& pruning = {});

/// The mask of the present weights, as magnitude_mask() of each row.
torch::Tensor weight_mask(const torch::Tensor& w, Quantiser quantiser);

/// The weight as code, in the memory order O, r, s, c; for floats the rounded value itself.
void weight_codes(const float* row, std::int64_t k, float step, Quantiser quantiser, float* codes);

/// To 10 fraction bits, ties away from zero. NaN stays NaN.
float round_tf32(float x);

}  // namespace twofour::nas
