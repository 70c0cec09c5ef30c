#pragma once
#include <torch/torch.h>

#include "twofour/nas/train/engine.h"

namespace twofour::nas {

inline constexpr double batch_norm_epsilon = LayerParameters::epsilon, default_batch_norm_momentum = 0.1;

/// Steps of least square error that were computed for a quantiser.
struct KnownSteps {
  Quantiser quantiser;
  torch::Tensor weight_step, input_step;
};

/// Tensors of one layer.
struct ModelLayer {
  LayerSpec spec;
  Quantiser quantiser;
  torch::Tensor weight;          ///< Cout x Cin / groups x R x S, channels last: memory order O, r, s, c
  torch::Tensor gamma, beta;     ///< batch normalisation; of the last layer only beta, its bias
  torch::Tensor mean, variance;  ///< running statistics; undefined in the last layer
  torch::Tensor weight_step;     ///< Cout; learned where the quantiser's rule says so
  torch::Tensor input_step;      ///< 1; the same, but never learned in layers that read the image
  torch::Tensor mask;            ///< as weight, in a run with fixed masks; else undefined
  std::vector<float> sample;     ///< values that the layer read when it was calibrated
  std::vector<KnownSteps> known_steps;  ///< since keep_steps()
  bool normalised() const { return mean.defined(); }
};

/// The network as tensors: follows the layer list of the spec. Not a torch::nn::Module: it has one kind of
/// layer, and names.
class Model {
 public:
  Model(const ModelSpec& spec, std::uint64_t seed);

  std::vector<ModelLayer>& layers() { return layers_; }

  /// The part that a smaller network of the same wiring uses: of every tensor the first channels, of kernels
  /// the centre. Its tensors are views of this model's: what trains the part trains this model. Throws Error
  /// that names the layer for a network that is no part.
  Model part(const ModelSpec& spec) const;
  /// Copies of all tensors.
  Model copy() const;

  /// Class scores, N x classes. Images: N x C x H x W in 0..1.
  torch::Tensor forward(const torch::Tensor& images, bool training);
  /// All tensors: element 0 is the image, layer i writes element i + 1.
  std::vector<torch::Tensor> forward_all(const torch::Tensor& images, bool training);
  /// The same from layer `first` on; tensors 0 .. first are given.
  torch::Tensor forward_from(std::vector<torch::Tensor> tensors, std::size_t first);
  /// What the layer reads: the tensor after the layer's pool.
  torch::Tensor layer_input(std::size_t layer, const std::vector<torch::Tensor>& tensors) const;

  /// What the layer writes, tensors up to its own being given.
  torch::Tensor run_layer(std::size_t layer, const std::vector<torch::Tensor>& tensors, bool training);

  /// Every tensor that training changes, by name.
  std::vector<std::pair<std::string, torch::Tensor>> named_tensors() const;
  std::vector<torch::Tensor> decayed_parameters() const;  ///< weights
  std::vector<torch::Tensor> other_parameters() const;
  /// Steps by the quantiser's rule, from the weights and the sample.
  void set_quantiser(std::size_t layer, Quantiser quantiser);
  /// Steps are computed once a quantiser from now on: while weights and samples stay.
  void keep_steps() { keeps_steps_ = true; }
  /// Keeps the steps positive after an optimiser's step.
  void clamp_steps();

  /// What pruned weights receive from now on.
  void set_pruned_gradient(PrunedGradient gradient) { pruned_gradient_ = gradient; }
  /// Share of a batch in the running statistics after it.
  void set_batch_norm_momentum(double momentum) { batch_norm_momentum_ = momentum; }

 private:
  Model() = default;
  static void compute_steps(ModelLayer& layer);

  std::vector<ModelLayer> layers_;
  bool keeps_steps_ = false;
  PrunedGradient pruned_gradient_;
  double batch_norm_momentum_ = default_batch_norm_momentum;
};

}  // namespace twofour::nas
