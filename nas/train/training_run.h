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
  /// Class scores of a batch at a step; empty: those of the whole model.
  std::function<torch::Tensor(const torch::Tensor& images, std::int64_t step)> forward;
  Model* teacher = nullptr;  ///< where the plan says distillation
};

/// The training loop; see Engine::train.
std::vector<EpochRecord> run_training(Model& model, const TrainingTask& task);

}  // namespace twofour::nas
