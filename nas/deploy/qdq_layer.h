#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "twofour/nas/deploy/integer_network.h"

namespace twofour::nas {

/// A deployed layer in real numbers, as ONNX's QDQ format states it. Weights are O x I x H x W.
///   integers: y_c = sum(codes_c * scale_c * q * input_step) + bias_c, q = clamp(x / input_step, 0, levels)
///   fp16:     y_c = scale_c * sum(halves_c * f16(x)) + bias_c
struct QdqLayer {
  bool is_float = false;
  std::int64_t group_channels = 1;    ///< I
  std::vector<std::int8_t> codes;     ///< integers; of one bit: -1 and 1
  std::vector<std::uint16_t> halves;  ///< fp16
  int levels = 0;                     ///< of activations; integers
  float input_step = 0;               ///< integers
  std::vector<float> scale, bias;     ///< one an output channel; scales of integers are above 0
};

/// Channels with a negative scale get it on their codes, those with scale 0 codes of 0. Scales and biases are
/// rounded to f32. Throws Error for layers that have no such form: arbitrary precisions, an input scale that
/// is not positive.
QdqLayer qdq_layer(const Layer& layer, const DeployedLayer& deployed);

}  // namespace twofour::nas
