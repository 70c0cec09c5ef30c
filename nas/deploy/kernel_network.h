#pragma once
#include <optional>
#include <string>
#include <vector>

#include "twofour/emu/timing/gemm_latency.h"
#include "twofour/nas/deploy/kernel_form.h"

namespace twofour::nas {

/// One layer of a network that is lowered to emulated kernels.
struct LoweredLayer {
  std::string name;
  Option option = Option::int8;
  LayerKernel kernel;
  emu::Schedule schedule;              ///< of a kernel
  std::string schedule_note;           ///< why it is not the one that the latency model chose; empty: it is
  emu::Latency latency;                ///< of the layer alone (layer_latency.h)
  std::optional<double> simulated_us;  ///< by simulate_kernel
  std::string simulated_note;          ///< why there is none

  bool lowered() const { return kernel.form != KernelForm::none; }
};

struct KernelNetwork {
  std::int64_t batch = 1;  ///< that the schedules were chosen for
  std::string machine;
  std::vector<LoweredLayer> layers;
};

/// Every layer as a kernel with the schedule that the latency model chooses for that batch. Where the kernel
/// cannot run so, the nearest tile of the model's list that it can, and schedule_note says why: matrix-vector
/// kernels have no tile, and shared k (split-k) would add floating-point sums in another order than the
/// deployed network does. Throws Error as check_network and layer_latency.
KernelNetwork lower(const DeployedNetwork& net, std::int64_t batch, const isa::Machine& machine);

/// Fills in simulated_us: each layer's kernel cycle by cycle, at the batch of the schedules and with the
/// channels that the kernel fills up to. It stores activations of the option's type (8 bits at least), as
/// layer_latency has it, not stream words.
void simulate_layers(KernelNetwork& kernels, const DeployedNetwork& net, const isa::Machine& machine);

/// Words of a layer that were compared with the independent reference, and those that differ.
struct LayerKernelCheck {
  std::int64_t outputs = 0, accumulators = 0, differing = 0;
  std::int64_t instructions = 0;  ///< warp instructions executed
  std::int64_t macs = 0;          ///< multiply-adds of the layer
  double cpu_seconds = 0;         ///< of executing them, all threads
};

struct KernelCheck {
  std::vector<LayerKernelCheck> layers;
  std::vector<LayerResult> results;  ///< accumulators are empty (0 x 0) where the kernel stores outputs alone
  std::int64_t compared() const;
  std::int64_t differing() const;
};

/// Runs images (as run_emulated takes them) through the kernels, warp instruction by warp instruction; each
/// layer reads what the kernels before it stored. A layer without a kernel contributes run_emulated's result.
/// Outputs of every layer, and accumulators where a kernel stores them, are compared with run_reference.
/// `accumulators`: fused layers run a second time, without the epilogue, so that theirs are compared, too.
/// Throws Error as run_emulated.
KernelCheck run_kernels(const DeployedNetwork& net, const KernelNetwork& kernels,
                        const std::vector<std::int32_t>& images, int batch, bool accumulators = false);

}  // namespace twofour::nas
