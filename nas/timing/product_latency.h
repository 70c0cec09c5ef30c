#pragma once
#include "twofour/emu/timing/gemm_latency.h"
#include "twofour/nas/graph/workload.h"

namespace twofour::nas {

/// How one product of a network runs: its form, and what surrounds it.
struct ProductForm {
  isa::ElementType type = isa::ElementType::f16;
  bool sparse = false;
  int output_bits = 16;
  double residual_bytes = 0;  ///< that the epilogue reads
  bool activations_in_l2 = false, weights_in_l2 = false, residual_in_l2 = false;
  emu::Launch launch = emu::Launch::graph;
  int weight_planes = 0,
      activation_planes = 0;  ///< of a w_p a_q product, whose type is b1; 0: of a native type
};

/// Latency of a convolution, gemm or batched gemm on the Tensor Cores; of a grouped convolution on the CUDA
/// cores.
emu::Latency product_latency(const Node& node, const ProductForm& form, const isa::Machine& machine);

/// Bytes of a product's weights as they are stored: half, and metadata, when sparse.
double weight_bytes(const Node& node, isa::ElementType type, bool sparse);

}  // namespace twofour::nas
