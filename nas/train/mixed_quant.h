#pragma once
#include <torch/torch.h>

#include "twofour/nas/train/quantise.h"

/// Mixtures of fake quantisers, so that a layer that chooses between options is one convolution
/// (the composite convolution of EdMIPS, Cai and Vasconcelos, CVPR 2020, arXiv 2004.05795). With one share 1
/// and the others 0 they are the quantisers of fake_quant.h, bit for bit. Results do not depend on the number
/// of threads.
namespace twofour::nas {

/// sum_q shares[q] * Q_q(x), Q_q = quantise_input() with steps[q]. x: N x C x H x W; shares, steps: one
/// element a form. Gradients: of x straight through within each range, of the shares sum(g * Q_q(x)), of the
/// steps LSQ's times the share.
torch::Tensor mix_inputs(const torch::Tensor& x, const torch::Tensor& shares, const torch::Tensor& steps,
                         const std::vector<Quantiser>& forms);

/// sum_o shares[o] * Q_o(Mask_o(w)), each part quantise_weight() with row o of `steps` (options x Cout). w:
/// Cout x Cin x R x S. The gradient of w is the sum of the parts' with their shares, SR-STE's decay included.
torch::Tensor mix_weights(const torch::Tensor& w, const torch::Tensor& shares, const torch::Tensor& steps,
                          const std::vector<Quantiser>& options);

}  // namespace twofour::nas
