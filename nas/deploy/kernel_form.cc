#include "twofour/nas/deploy/kernel_form.h"

#include <algorithm>

#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

using emu::PackedMatrix;

constexpr int smallest_copy_bits = 32;  ///< of cp.async

std::int64_t round_up(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// Weights whose taps (r, s) have more channels; the new ones are zero.
PackedMatrix with_channels(const PackedMatrix& w, std::int64_t from, std::int64_t to) {
  if (from == to) return w;
  PackedMatrix out(w.type(), w.rows(), w.cols() / from * to);
  for (std::int64_t row = 0; row < w.rows(); ++row)
    for (std::int64_t k = 0; k < w.cols(); ++k) out.set_bits(row, k / from * to + k % from, w.bits(row, k));
  return out;
}

PackedMatrix with_ones(const PackedMatrix& w) {
  PackedMatrix out = emu::padded(w, w.rows() + 1, w.cols());
  for (std::int64_t k = 0; k < w.cols(); ++k) out.set_bits(w.rows(), k, 1);
  return out;
}

/// Why the emulated kernels cannot compute the layer's product; empty if they can.
std::string refusal(const Layer& layer, Option option) {
  if (layer.depthwise()) return "depthwise: a kernel of the CUDA cores, no mma";
  if (is_bit_serial(option) && option != Option::int1)
    return "several int1 products, shifted and added: no kernel of one product";
  return "";
}

KernelForm form_of(const Layer& layer, Option option) {
  if (option == Option::int1) return KernelForm::bit_counts;
  const bool has_epilogue = layer.activation != Activation::relu6;
  return info(option).accumulator == isa::ElementType::s32 && has_epilogue ? KernelForm::fused
                                                                           : KernelForm::accumulators;
}

emu::Epilogue epilogue_of(const Layer& layer, const LayerKernel& kernel) {
  emu::Epilogue e{.output = kernel.problem.instruction->d, .channel_is_row = true, .transposed = true};
  if (kernel.form != KernelForm::fused) return e;
  e.scale = e.bias = e.fixed_point = true;
  e.residual = layer.residual >= 0;
  e.relu = layer.activation == Activation::relu;
  return e;
}

/// Where activations come from, and how many columns the product has.
void set_b(LayerKernel& kernel, const Layer& layer) {
  const isa::Instruction& i = *kernel.problem.instruction;
  const int bits = isa::bits(i.b);
  const std::int64_t copy = std::max(1, smallest_copy_bits / bits), channels = layer.shape.in_channels;
  kernel.explicit_im2col = isa::is_float(i.a) && channels % copy != 0;
  kernel.channels = kernel.explicit_im2col ? channels : round_up(channels, copy);
  emu::ConvShape shape = layer.shape;
  shape.in_channels = kernel.channels;
  shape.out_channels += kernel.form == KernelForm::bit_counts ? 1 : 0;
  kernel.problem.conv = shape;
  kernel.problem.m = shape.gemm_m();
  kernel.problem.k = round_up(shape.gemm_k(), i.is_sparse() || kernel.explicit_im2col ? i.shape.k : 1);
}

}  // namespace

std::string_view name(KernelForm form) {
  switch (form) {
    case KernelForm::none: break;
    case KernelForm::fused: return "fused";
    case KernelForm::accumulators: return "accumulators";
    case KernelForm::bit_counts: return "bit counts";
  }
  return "none";
}

emu::KernelProblem LayerKernel::problem_of(std::int64_t batch) const {
  emu::KernelProblem p = problem;
  p.conv->batch = batch;
  p.n = p.conv->gemm_n();
  if (explicit_im2col) p.conv.reset();
  return p;
}

emu::KernelOperands LayerKernel::operands(const PackedMatrix& b) const {
  emu::KernelOperands x;
  x.a = sparse ? &sparse->values : &weights;
  x.sparse = sparse ? &*sparse : nullptr;
  x.b_transposed = &b;
  x.epilogue = {scale, bias, nullptr};
  return x;
}

LayerKernel layer_kernel(const Layer& layer, const DeployedLayer& deployed) {
  LayerKernel kernel;
  kernel.reason = refusal(layer, deployed.option);
  if (!kernel.reason.empty()) return kernel;
  kernel.form = form_of(layer, deployed.option);
  kernel.problem.instruction = &instruction_of(deployed.option);
  set_b(kernel, layer);
  kernel.problem.epilogue = epilogue_of(layer, kernel);
  PackedMatrix weights = with_channels(deployed.weights, layer.shape.in_channels, kernel.channels);
  if (kernel.form == KernelForm::bit_counts) weights = with_ones(weights);
  kernel.weights = emu::padded(weights, weights.rows(), kernel.problem.k);
  if (info(deployed.option).sparse) kernel.sparse = emu::compress(kernel.weights);
  if (kernel.form == KernelForm::fused) {
    for (const FixedScale& s : deployed.output_scale) kernel.scale.push_back(std::uint32_t(s.multiplier));
    for (const FixedScale& s : deployed.output_scale) kernel.scale.push_back(std::uint32_t(s.shift));
    kernel.bias.assign(deployed.bias.begin(), deployed.bias.end());
  }
  return kernel;
}

}  // namespace twofour::nas
