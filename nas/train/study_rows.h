#pragma once
#include "twofour/isa/machine.h"
#include "twofour/nas/report/report.h"
#include "twofour/nas/space/space.h"

namespace twofour::nas {

/// Sum of the latencies of the layers, each a kernel of its own in a CUDA graph.
double latency_us(const Architecture& network, int batch, const isa::Machine& machine);

/// Layers and latencies of a network; accuracy and the rest are left as they are.
void describe_network(NetworkRow& row, const Architecture& network, int batch, const isa::Machine& machine);

}  // namespace twofour::nas
