#include "twofour/nas/train/shared_weights.h"

#include <random>

namespace twofour::nas {
namespace {

Candidate backbone_candidate(const Space& space) {
  return uniform_candidate(space, Option::fp16, Option::fp16);
}

}  // namespace

Network sampled_network(const Space& space, std::uint64_t seed, std::int64_t step) {
  if (step % 4 == 0) return largest_network(space);
  Candidate candidate = backbone_candidate(space);
  if (step % 4 != 2) {
    std::mt19937_64 random(seed * 0x9e3779b97f4a7c15u + std::uint64_t(step));
    for (std::size_t d = 0; d < candidate.size(); ++d)
      if (space.decisions[d].kind != DecisionKind::option)
        candidate[d] = int(random() % std::uint64_t(space.decisions[d].count()));
  }
  return architecture(space, candidate).network;
}

SharedTraining train_shared_weights(const Space& space, const TrainPlan& plan, int threads,
                                    const Dataset& train, const Dataset& calibration, const Dataset& heldout,
                                    const std::string& checkpoint, const Fingerprint& fingerprint,
                                    const std::string& label) {
  SharedTraining result;
  result.weights = std::make_unique<Engine>(model_spec(largest_network(space)), plan.seed, threads);
  const ModelSpec backbone = model_spec(space.backbone);
  const auto evaluate = [&] {
    const auto part = result.weights->part(backbone);
    part->retune_batch_norm(calibration);
    return part->evaluate(heldout);
  };
  result.history = result.weights->train_shared(
      plan, train, evaluate, checkpoint, fingerprint, label,
      [&](std::int64_t step) { return model_spec(sampled_network(space, plan.seed, step)); });
  return result;
}

}  // namespace twofour::nas
