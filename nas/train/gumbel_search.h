#pragma once
#include "twofour/nas/train/search_decisions.h"

namespace twofour::nas {

/// Differentiable search (bi-level, as DARTS; Gumbel softmax, Jang et al., ICLR 2017): every decision d has a
/// vector alpha_d; its values take the shares softmax((alpha_d + Gumbel noise) / tau). Weights are fitted to
/// train images with these shares, alpha to held-out images by
/// cross entropy + lambda * max(0, latency / target - 1), the latency expected under the shares.
struct GumbelPlan {
  /// SGD of the weights; its epochs are those of the search, its seed decides all noise.
  TrainPlan weights;
  int warmup_epochs = 1;        ///< first epochs: equal shares, weights alone
  double first_tau = 5;         ///< falls geometrically, an epoch a step, ...
  double last_tau = 0.4;        ///< ... to this in the last epoch
  double alpha_rate = 0.02;     ///< of Adam (0.5, 0.999): about the most that alpha moves in one step
  double latency_weight = 1.0;  ///< lambda
  double target_us = 0;
};

struct GumbelEpoch {
  int epoch = 0;            ///< from 1
  double tau = 0;           ///< 0 in epochs that train weights alone
  double train_loss = 0;    ///< mean over the batches, at the shares that were drawn
  double heldout_loss = 0;  ///< the same without the latency term; 0 where alpha did not move
  double sampled_us = 0;    ///< mean latency under the shares that were drawn; 0 where alpha did not move
  double expected_us = 0;   ///< at the end of the epoch, under softmax(alpha)
  double argmax_us = 0;     ///< of the most probable candidate
  double entropy = 0;       ///< of softmax(alpha), mean over the decisions, in nats
  double seconds = 0;       ///< wall clock
  double cpu_seconds = 0;   ///< all threads
};

struct GumbelResult {
  /// By decision and value: -log softmax(alpha), the cost of a value when candidates are ranked by how
  /// probable they are to be drawn (the Gumbel maximum has this distribution at every tau).
  /// nas::DecisionCosts for the exact engine, which finds the most probable candidate within a hard budget.
  std::vector<std::vector<double>> costs;
  std::vector<int> argmax;  ///< by decision; it may exceed the target
  double argmax_us = 0, expected_us = 0;
  std::vector<GumbelEpoch> history;
};

/// Searches from the engine's present weights, which must be those of the largest network of the space (for
/// MSPS: the trained dense network), calibrated. Goes on from the checkpoint if there is one, to the same
/// bits as without the break; it is written at each epoch's end and at least every 30 s. An epoch is one pass
/// over the train images (weights) with the held-out images (alpha) spread evenly among them. `label` begins
/// the lines of progress. Afterwards the engine holds the supernet's weights and batch statistics at full
/// precision: those of the mixture, so train again from the dense checkpoint before results are quoted.
/// Errors as Engine::train and check_decisions; plans that make no sense.
GumbelResult gumbel_search(Engine& engine, const std::vector<SupernetDecision>& decisions,
                           const LatencyTerms& latency, const GumbelPlan& plan, const Dataset& train,
                           const Dataset& heldout, const std::string& checkpoint,
                           const Fingerprint& fingerprint, const std::string& label);

}  // namespace twofour::nas
