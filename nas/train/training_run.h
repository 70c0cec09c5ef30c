#pragma once
#include <functional>

#include "twofour/nas/train/model.h"

namespace twofour::nas {

/// What Engine::train was asked.
struct TrainingTask {
  const TrainPlan& plan;
  const Dataset& images;
  const std::string& checkpoint;
  const Fingerprint& fingerprint;
  const std::string& label;
  std::function<Score()> evaluate;  ///< on the held-out images
};

/// The training loop; see Engine::train.
std::vector<EpochRecord> run_training(Model& model, const TrainingTask& task);

}  // namespace twofour::nas
