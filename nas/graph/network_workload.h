#pragma once
#include <vector>

#include "twofour/nas/graph/network.h"
#include "twofour/nas/graph/workload.h"

namespace twofour::nas {

/// A network as a workload at a batch: for every layer its convolution ("Conv", the layer's name), in front
/// of it its pool (once where layers pool the same tensor alike), behind it the residual's addition and the
/// activation. Batch normalisations are folded and no nodes. Throws Error as check(Workload).
Workload workload_of(const Network& network, std::int64_t batch);

/// The node of each layer's convolution.
std::vector<int> convolution_nodes(const Workload& workload);

}  // namespace twofour::nas
