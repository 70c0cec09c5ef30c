#pragma once
// What happens to stream words around the products of a deployed network (integer_network.h states the
// rules): on the CUDA cores of a real machine. The independent reference has its own.
#include <cstdint>
#include <vector>

#include "twofour/nas/deploy/integer_network.h"

namespace twofour::nas {

/// Words (NHWC) as activations of the layer's option in `type`: one row a pixel; columns behind the channels
/// are zero bits.
emu::PackedMatrix quantised(const DeployedLayer& layer, const std::vector<std::int32_t>& words,
                            std::int64_t channels, std::int64_t columns, isa::ElementType type);

/// Accumulators (pixels x channels, s32 or f32) as output words: scale, bias, residual (null: none),
/// activation, saturation.
std::vector<std::int32_t> finished(const DeployedLayer& layer, Activation activation,
                                   const emu::PackedMatrix& accumulators,
                                   const std::vector<std::int32_t>* residual);

}  // namespace twofour::nas
