#pragma once
#include "twofour/nas/space/space.h"
#include "twofour/nas/train/trainer.h"

namespace twofour::nas {

/// The sizes that step `step` trains: of four steps one is the largest network, one the backbone, two are
/// drawn evenly from the sizes of the space by seed and step.
Network sampled_network(const Space& space, std::uint64_t seed, std::int64_t step);

/// Trains fp32 weights of the largest network of the space so that all its parts work (single path, one part
/// a step). Resumes from the checkpoint; errors as Engine::train. An epoch's accuracy is that of the
/// backbone's part after its batch normalisation was re-tuned on the calibration images.
struct SharedTraining {
  std::unique_ptr<Engine> weights;
  std::vector<EpochRecord> history;
};
SharedTraining train_shared_weights(const Space& space, const TrainPlan& plan, int threads,
                                    const Dataset& train, const Dataset& calibration, const Dataset& heldout,
                                    const std::string& checkpoint, const Fingerprint& fingerprint,
                                    const std::string& label);

}  // namespace twofour::nas
