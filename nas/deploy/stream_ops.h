#pragma once
// What happens to stream words between the products of a deployed network (integer_network.h states the
// rules): on the CUDA cores of a real machine, here for layers whose products run as kernels.
#include <cstdint>
#include <vector>

#include "twofour/nas/deploy/integer_network.h"

namespace twofour::nas {

/// A tensor of stream words, batch x height x width x channels.
struct StreamTensor {
  std::int64_t height = 1, width = 1, channels = 1;
  std::vector<std::int32_t> words;
};

/// What a layer's product reads: its input after the pool. Average: (sum + n/2) / n, floor division; max: of
/// the words that lie inside the image.
StreamTensor pooled(const Pool& pool, const StreamTensor& x, std::int64_t batch);

/// Words as activations of the layer's option: one row a pixel; columns behind the channels are zero bits.
emu::PackedMatrix quantised(const DeployedLayer& layer, const StreamTensor& x, std::int64_t columns);

/// Accumulators (pixels x channels, s32 or f32) as output words: scale, bias, residual (null: none),
/// activation, saturation.
std::vector<std::int32_t> finished(const DeployedLayer& layer, Activation activation,
                                   const emu::PackedMatrix& accumulators,
                                   const std::vector<std::int32_t>* residual);

}  // namespace twofour::nas
