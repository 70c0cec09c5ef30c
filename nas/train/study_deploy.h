#pragma once
#include "twofour/isa/machine.h"
#include "twofour/nas/deploy/integer_network.h"
#include "twofour/nas/report/report.h"
#include "twofour/nas/train/dataset.h"
#include "twofour/nas/train/engine.h"

namespace twofour::nas {

/// A deployed network executed and timed: on emulated Tensor Cores against the independent reference; its
/// layers as kernels, warp instruction by warp instruction, on the first image; the latency of the whole
/// network against the sum of its layers. Fills in those fields of the row. Results are kept in `cache` under
/// the fingerprint.
void check_deployed(NetworkRow& row, const DeployedNetwork& network, const Dataset& images, int batch,
                    const isa::Machine& machine, const std::string& cache, const Fingerprint& fingerprint);

/// PREFIX.json (for `twofour deploy`), PREFIX.csv (latencies of every option) and, where ONNX is built in,
/// PREFIX.onnx.
void export_deployed(const DeployedNetwork& network, int batch, const isa::Machine& machine,
                     const std::string& prefix);

}  // namespace twofour::nas
