#pragma once
#include <torch/torch.h>

#include "twofour/nas/train/engine.h"

namespace twofour::nas {

/// Where a training run stands. The order of the images and their changes are functions of seed, epoch and
/// position, so that this and the tensors say all.
struct TrainState {
  std::int64_t step = 0;  ///< batches done since the start
  double loss_sum = 0;    ///< over the batches of this epoch
  double epoch_seconds = 0;
  std::vector<EpochRecord> history;
};

using NamedTensors = std::vector<std::pair<std::string, torch::Tensor>>;

/// Writes the tensors, the optimiser (where not null) and the state through a temporary file and a rename.
void save_checkpoint(const std::string& path, const Fingerprint& fingerprint, const NamedTensors& tensors,
                     const torch::optim::Optimizer* optimiser, const TrainState& state);

/// Reads them back into the same tensors. Throws Error that names the file if it is damaged or of another
/// fingerprint (and which fields differ); nothing is changed then.
TrainState load_checkpoint(const std::string& path, const Fingerprint& fingerprint,
                           const NamedTensors& tensors, torch::optim::Optimizer* optimiser);

/// Copies tensors of a checkpoint by name, whatever run it is of. Throws Error that names the first of them
/// that is missing, has another shape or holds NaN or infinity; nothing is changed then.
void import_tensors(const std::string& path, const std::string& network, const NamedTensors& tensors);

}  // namespace twofour::nas
