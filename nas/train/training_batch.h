#pragma once
#include <torch/torch.h>

#include "twofour/nas/train/engine.h"

/// What training runs share; defined in training_run.cc.
namespace twofour::nas {

struct Batch {
  torch::Tensor images, labels;
};

/// Images order[first .. first + plan.batch), mirrored and moved as the plan says; the changes are a function
/// of plan.seed and step.
Batch training_batch(const Dataset& data, const TrainPlan& plan, const std::vector<int>& order,
                     std::int64_t first, std::uint64_t step);

/// The order of the images in an epoch.
std::vector<int> epoch_order(int count, std::uint64_t seed, std::int64_t epoch);

double learning_rate(const TrainPlan& plan, std::int64_t step, std::int64_t steps);

}  // namespace twofour::nas
