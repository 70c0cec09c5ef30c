#pragma once
#include <torch/torch.h>

#include "twofour/nas/train/quantise.h"

namespace twofour::nas {

/// Gradient that pulls masked weights to zero: SR-STE, Zhou et al., ICLR 2021 (arXiv 2102.04010), lambda =
/// 2e-4.
inline constexpr float sr_ste_decay = 2e-4f;

/// What the layer's instruction sees of its activations, as real numbers. Integers: code * step with the
/// codes of activation_code(); f16: rounded to nearest even; f32: x itself. Gradients: straight through
/// inside the range, none outside; the step's is that of LSQ (Esser et al., ICLR 2020, arXiv 1902.08153). x:
/// N x C x H x W, step: one element.
torch::Tensor quantise_input(const torch::Tensor& x, const torch::Tensor& step, Quantiser quantiser);

/// The same for weights (Cout x Cin x R x S, step: Cout): mask first, then round to code * step_c; int1 is
/// step_c * sign(w). The gradient passes to all weights, masked ones too, plus sr_ste_decay * w for those.
torch::Tensor quantise_weight(const torch::Tensor& w, const torch::Tensor& step, Quantiser quantiser);

/// The weight as code, in the memory order O, r, s, c; for f16 and f32 the value itself.
void weight_codes(const float* row, std::int64_t k, float step, Quantiser quantiser, float* codes);

}  // namespace twofour::nas
