#pragma once
#include "twofour/nas/train/checkpoint.h"
#include "twofour/nas/train/model.h"
#include "twofour/nas/train/search_decisions.h"

namespace twofour::nas {

/// A network that is every candidate of a search at once. It shares the model's weights and batch
/// normalisations; per decision it takes the shares (probabilities) of the values:
///   weights   sum_o share_o * Q_o(Mask_o(W)), cut to sum_k share_k * (centre k x k)
///   inputs    sum_q share_q * Q_q(x) over the distinct activation precisions of the layer's options
///   width     outputs of the batch normalisation times sum_w share_w * (first w channels), before the
///             residual add; batch statistics are taken before, so channels do not influence each other
/// so that a layer is one convolution. Each option has its own weight steps, each activation precision its
/// own step.
class Supernet {
 public:
  /// Steps of least square error for the model's weights and samples, learned from there (LSQ). The model
  /// must have been calibrated if there are integers; it must outlive this.
  Supernet(Model& model, std::vector<SupernetDecision> decisions);

  /// What gets gradients. Both take batch statistics; only `weights` updates the running ones.
  enum class Phase { weights, shares, evaluation };

  /// Class scores, N x classes. `shares`: one tensor a decision.
  torch::Tensor forward(const torch::Tensor& images, const std::vector<torch::Tensor>& shares, Phase phase);

  /// Every tensor that training changes, the model's included.
  NamedTensors named_tensors() const;
  std::vector<torch::Tensor> decayed_parameters() const;
  std::vector<torch::Tensor> other_parameters() const;
  void clamp_steps();

 private:
  struct Layer {
    int option = -1, kernel = -1, width = -1;  ///< decisions
    std::vector<Quantiser> quantisers;         ///< of the options
    std::vector<Quantiser> forms;              ///< distinct activation precisions
    torch::Tensor sharing;                     ///< forms x options: 1 where the option reads the form
    torch::Tensor weight_steps, input_steps;   ///< options x Cout; forms
    torch::Tensor kernel_masks;                ///< sizes x (R * S)
    torch::Tensor width_masks;                 ///< sizes x Cout
  };

  Layer make_layer(std::size_t index);
  void set_steps(std::size_t index, Layer& layer);
  torch::Tensor run_layer(std::size_t index, const std::vector<torch::Tensor>& tensors,
                          const std::vector<torch::Tensor>& shares, Phase phase);

  Model& model_;
  std::vector<SupernetDecision> decisions_;
  std::vector<Layer> layers_;
};

}  // namespace twofour::nas
