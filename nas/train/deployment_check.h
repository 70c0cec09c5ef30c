#pragma once
#include <string>

#include "twofour/nas/report/report.h"
#include "twofour/nas/train/trainer.h"

namespace twofour::nas {

/// Runs the images through the network twice, on emulated Tensor Cores and by the independent reference, and
/// compares every accumulator and every output of every layer. Accuracy is that of the emulated network.
/// Layers that differ are named on stderr. The result is kept in `cache` under the fingerprint.
OutputCheck check_deployment(const DeployedNetwork& network, const Dataset& images, const std::string& cache,
                             const Fingerprint& fingerprint);

/// Images whose largest score is at their label; scores: images x classes, ties to the lower class.
int count_correct(const std::vector<std::int32_t>& scores, const Dataset& images);

}  // namespace twofour::nas
