#include "twofour/nas/timing/product_latency.h"

#include <algorithm>
#include <cmath>

#include "twofour/emu/timing/arbitrary_latency.h"
#include "twofour/emu/timing/conv_latency.h"
#include "twofour/emu/timing/stream_latency.h"

namespace twofour::nas {
namespace {

emu::ImplicitGemm dense_gemm(const Node& n, isa::ElementType type) {
  if (n.kind == NodeKind::convolution)
    return emu::implicit_gemm({n.batch,
                               n.channels,
                               n.filters,
                               {n.height, n.kernel_h, n.stride_h, n.dilation_h, n.pad_h},
                               {n.width, n.kernel_w, n.stride_w, n.dilation_w, n.pad_w}},
                              type);
  emu::ImplicitGemm result{};
  result.gemm.type = type;
  result.gemm.m = n.n;  // the weights are A
  result.gemm.n = n.m;
  result.gemm.k = n.k;
  result.gemm.batch = n.batch;
  result.tensor_bytes = -1;
  return result;
}

/// Every multiply-add on an fp32 lane; the tensors are streamed.
emu::Latency grouped_latency(const Node& n, const ProductForm& f, const isa::Machine& machine) {
  const double read =
      static_cast<double>(n.elements_in) * isa::bits(f.type) / 8 * std::max(1, f.activation_planes);
  const double weights = weight_bytes(n, f.type, false) * std::max(1, f.weight_planes);
  const double written = static_cast<double>(n.elements_out) * f.output_bits / 8;
  emu::StreamProblem stream;
  stream.fma = static_cast<double>(macs(n));
  stream.l2_bytes = read + weights + written + f.residual_bytes;
  stream.dram_bytes = stream.l2_bytes - (f.activations_in_l2 ? read : 0) - (f.weights_in_l2 ? weights : 0) -
                      (f.residual_in_l2 ? f.residual_bytes : 0);
  stream.launch = f.launch;
  return emu::stream_latency(stream, machine);
}

}  // namespace

emu::Latency product_latency(const Node& node, const ProductForm& form, const isa::Machine& machine) {
  if (is_grouped(node)) return grouped_latency(node, form, machine);
  auto [gemm, tensor_bytes] = dense_gemm(node, form.type);
  gemm.sparse = form.sparse;
  gemm.output_bits = form.output_bits;
  gemm.launch = form.launch;
  emu::KernelContext context;
  context.in_network = true;
  context.a_in_l2 = form.weights_in_l2;
  context.b_in_l2 = form.activations_in_l2;
  context.b_bytes = tensor_bytes;
  context.residual_bits = static_cast<int>(
      std::lround(form.residual_bytes * 8 / static_cast<double>(gemm.m * gemm.n * gemm.batch)));
  context.residual_in_l2 = form.residual_in_l2;
  if (form.weight_planes == 0) return emu::gemm_latency(gemm, context, machine);
  if (tensor_bytes >= 0) context.b_bytes = tensor_bytes * form.activation_planes;
  return emu::arbitrary_gemm_latency(gemm, {form.weight_planes, form.activation_planes, form.output_bits},
                                     context, machine);
}

double weight_bytes(const Node& node, isa::ElementType type, bool sparse) {
  const double metadata = isa::bits(type) >= 16 ? 1.0 / 16 : 1.0 / 8;  // over the bytes of the dense weights
  return static_cast<double>(node.weights) * isa::bits(type) / 8 * (sparse ? 0.5 + metadata : 1);
}

}  // namespace twofour::nas
