#pragma once
#include <torch/torch.h>

#include "twofour/nas/train/checkpoint.h"
#include "twofour/nas/train/gumbel_search.h"

namespace twofour::nas {

/// The alphas of a search and their optimiser (Adam).
class GumbelShares {
 public:
  GumbelShares(const std::vector<SupernetDecision>& decisions, std::uint64_t seed);

  std::vector<torch::Tensor> uniform() const;
  /// softmax((alpha + noise) / tau) by decision; the noise is a function of the seed and `draw`. Gradients
  /// reach alpha.
  std::vector<torch::Tensor> draw(std::uint64_t draw, double tau) const;
  /// softmax(alpha).
  Probabilities probabilities() const;
  /// By decision and value: -log softmax(alpha).
  std::vector<std::vector<double>> costs() const;

  void zero_grad();
  /// One step of Adam with the gradient that alpha has.
  void update(double rate);
  NamedTensors named_tensors() const;

 private:
  std::vector<std::int64_t> counts_;
  std::uint64_t seed_;
  torch::Tensor alpha_;                  ///< all decisions, one after the other
  torch::Tensor mean_, square_, steps_;  ///< Adam
};

/// By decision, as numbers.
Probabilities to_probabilities(const std::vector<torch::Tensor>& shares);
/// Index of the largest, the first among equals, by decision.
std::vector<int> most_probable(const Probabilities& probabilities);
/// Mean over the decisions, in nats.
double mean_entropy(const Probabilities& probabilities);

}  // namespace twofour::nas
