#pragma once
#include <cstdint>
#include <vector>

#include "twofour/nas/graph/network.h"

namespace twofour::nas {

/// Between layers activations are 32-bit fixed point with this many fraction bits (value = word / 2^16).
inline constexpr int stream_fraction_bits = 16;

/// 6 as a stream word.
inline constexpr std::int32_t relu6_word = 6 << stream_fraction_bits;

/// The largest activation word of an integer option; activations run from 0.
constexpr int activation_levels(Option o) {
  return (1 << info(o).activation_bits) - 1;
}
/// The largest magnitude of an integer option's weights.
constexpr int largest_weight(Option o) {
  const int bits = info(o).weight_bits;
  return bits == 1 ? 1 : (1 << (bits - 1)) - 1;
}
/// The type that a deployed layer's weights are stored as: that of the option; of several bit planes s8.
constexpr isa::ElementType stored_weights(Option o) {
  return is_bit_serial(o) && info(o).weight_bits > 1 ? isa::ElementType::s8 : info(o).weight;
}

/// A real factor as integers: x -> (x * multiplier + 2^(shift-1)) >> shift, in 64 bits (arithmetic shift; 1
/// <= shift <= 62).
struct FixedScale {
  std::int32_t multiplier = 0;
  int shift = 1;
  /// The nearest FixedScale of a real factor: a multiplier of 31 bits, of fewer for factors below 2^-32.
  /// Throws Error if the magnitude is above 2^30 - 1 or not finite.
  static FixedScale of(double factor);
  std::int64_t apply(std::int64_t x) const {
    return (x * multiplier + (std::int64_t(1) << (shift - 1))) >> shift;
  }
};

/// One layer as it is deployed.
/// Integer options: q = clamp(input_scale(x), 0, levels), acc = sum(w * q) exactly, out = output_scale_c(acc)
/// + bias_c (+ residual).
///   int8: w in -127..127, levels 255. int4: w in -7..7, levels 15.
///   int1: w in {-1,+1} (bit 1 is +1), levels 1; acc = 2 popc(w & q) - popc(q).
///   w_p a_q: levels 2^q - 1; p = 1: w as int1; p > 1: w in -(2^(p-1)-1)..2^(p-1)-1, stored as s8, whose bit
///   planes are made when the layer runs.
/// fp16 options: q = f16(x / 2^16) round to nearest even, acc in f32 by the Tensor Core rule,
///   out = llrint(clamp(double(acc) * float_scale_c, -2^40, 2^40)) + bias_c (+ residual).
/// Depthwise layers (int8, fp16) run on CUDA cores: the same sums in 32-bit integers, or in fp32
/// multiply-adds in the order r, s from +0 on, each rounded once to nearest even. All outputs and biases are
/// stream words; a ReLU clamps at 0, ReLU6 at 6 too; results saturate to 32 bits.
struct DeployedLayer {
  Option option = Option::int8;
  emu::PackedMatrix weights;             ///< Cout x K (K in the order r, s, c; depthwise: r, s), of
                                         ///< stored_weights(option); sparse options: already 2:4
  FixedScale input_scale;                ///< integer options
  std::vector<FixedScale> output_scale;  ///< one per output channel; integer options
  std::vector<double> float_scale;       ///< one per output channel; fp16 options
  std::vector<std::int32_t> bias;        ///< one per output channel, stream words
};

struct DeployedNetwork {
  Network network;
  std::vector<DeployedLayer> layers;  ///< one for each layer of the network
};

/// What one layer produced for a batch of images.
struct LayerResult {
  emu::PackedMatrix accumulators;    ///< batch*P*Q x Cout, s32 or f32 words
  std::vector<std::int32_t> output;  ///< NHWC stream words
};

/// Throws Error that names the layer for an inconsistent network: tensors and sizes that do not fit, operands
/// of another type or out of range, a sparse layer that is not 2:4, sums that could leave 32 bits.
void check_network(const DeployedNetwork& net);
/// Throws Error unless there are batch images (at least one) of the size that the first layer reads.
void check_images(const DeployedNetwork& net, const std::vector<std::int32_t>& images, int batch);

/// Runs images (batch x H x W x C stream words, NHWC) on emulated Tensor Cores; one result a layer. Pools
/// work on stream words, before they are quantised: max takes the largest word inside the image, global
/// average is (sum + n/2) / n, floor division. Throws Error as check_network does, and for images of another
/// size.
std::vector<LayerResult> run_emulated(const DeployedNetwork& net, const std::vector<std::int32_t>& images,
                                      int batch);

/// The same by an independent route: direct convolution loops, 64-bit integers, no packing, no im2col, no
/// code of emu/; fp16 layers by a separate wide-integer evaluation of the block sum.
std::vector<LayerResult> run_reference(const DeployedNetwork& net, const std::vector<std::int32_t>& images,
                                       int batch);

/// Words compared (accumulators and outputs of every layer) and those that differ.
struct Comparison {
  std::int64_t compared = 0, differing = 0;
  std::vector<std::int64_t> differing_per_layer;
};
/// Throws Error if the results are of different networks or batches.
Comparison compare(const std::vector<LayerResult>& emulated, const std::vector<LayerResult>& reference);

}  // namespace twofour::nas
