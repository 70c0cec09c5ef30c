#pragma once
// A deployed layer's product as an emulated kernel: which form it takes, and its operands.
#include <optional>
#include <string>
#include <vector>

#include "twofour/emu/kernel/run_kernel.h"
#include "twofour/nas/deploy/integer_network.h"

namespace twofour::nas {

/// What a kernel computes of a layer.
enum class KernelForm : std::uint8_t {
  none,          ///< no kernel: run_emulated's route
  fused,         ///< the output words: the fixed-point epilogue is the kernel's
  accumulators,  ///< the accumulators; the epilogue follows outside
  bit_counts     ///< int1: popc(w & q) and, by a last row of ones, popc(q); the rest follows outside
};
std::string_view name(KernelForm form);

/// A layer's kernel for one image, and the operands that do not change.
struct LayerKernel {
  KernelForm form = KernelForm::none;
  std::string reason;            ///< form none: why there is no kernel
  bool explicit_im2col = false;  ///< B is an im2col matrix: a copy of 4 bytes would cross channels
  std::int64_t channels = 0;     ///< of the activations, filled up to whole copies
  emu::KernelProblem problem;    ///< of one image; the epilogue is that of the form
  emu::PackedMatrix weights;
  std::optional<emu::SparseMatrix> sparse;
  std::vector<std::uint32_t> scale, bias;  ///< of form fused

  /// The same for a batch of images.
  emu::KernelProblem problem_of(std::int64_t batch) const;
  emu::KernelOperands operands(const emu::PackedMatrix& b) const;
};

/// Chooses the form and packs the weights. Integer layers get their channels filled up with zeros to whole
/// copies of 4 bytes; floating-point layers do not, because that would move products into other blocks.
LayerKernel layer_kernel(const Layer& layer, const DeployedLayer& deployed);

}  // namespace twofour::nas
