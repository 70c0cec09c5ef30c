#pragma once
#include <torch/torch.h>

#include "twofour/nas/train/engine.h"

namespace twofour::nas {

/// Tensors of one layer.
struct ModelLayer {
  LayerSpec spec;
  Quantiser quantiser;
  torch::Tensor weight;          ///< Cout x Cin x R x S, channels last: memory order O, r, s, c
  torch::Tensor gamma, beta;     ///< batch normalisation; of the last layer only beta, its bias
  torch::Tensor mean, variance;  ///< running statistics; undefined in the last layer
  torch::Tensor weight_step;     ///< Cout
  torch::Tensor input_step;      ///< 1; fixed, not learned, in layers that read the image
  std::vector<float> sample;     ///< values that the layer read when it was calibrated
  bool normalised() const { return mean.defined(); }
};

/// The network as tensors: follows the layer list of the spec. Not a torch::nn::Module: it has one kind of
/// layer, and names.
class Model {
 public:
  Model(const ModelSpec& spec, std::uint64_t seed);

  std::vector<ModelLayer>& layers() { return layers_; }

  /// Class scores, N x classes. Images: N x 1 x H x W in 0..1.
  torch::Tensor forward(const torch::Tensor& images, bool training);
  /// All tensors: element 0 is the image, layer i writes element i + 1.
  std::vector<torch::Tensor> forward_all(const torch::Tensor& images, bool training);
  /// The same from layer `first` on; tensors 0 .. first are given.
  torch::Tensor forward_from(std::vector<torch::Tensor> tensors, std::size_t first);
  /// What the layer reads: the tensor, averaged over the image if the layer pools.
  torch::Tensor layer_input(std::size_t layer, const std::vector<torch::Tensor>& tensors) const;

  /// Every tensor that training changes, by name.
  std::vector<std::pair<std::string, torch::Tensor>> named_tensors() const;
  std::vector<torch::Tensor> decayed_parameters() const;  ///< weights
  std::vector<torch::Tensor> other_parameters() const;
  /// Steps of least square error for the quantiser, from the weights and the sample.
  void set_quantiser(std::size_t layer, Quantiser quantiser);
  /// Keeps the steps positive after an optimiser's step.
  void clamp_steps();

 private:
  torch::Tensor run_layer(std::size_t layer, const std::vector<torch::Tensor>& tensors, bool training);

  std::vector<ModelLayer> layers_;
};

inline constexpr double batch_norm_epsilon = 1e-5;

}  // namespace twofour::nas
