#pragma once
#include <cstdint>
#include <vector>

#include "twofour/nas/graph/layer_kinds.h"

namespace twofour::nas {

/// An NHWC tensor's sizes.
struct TensorShape {
  std::int64_t batch = 1, height = 1, width = 1, channels = 1;
};

/// Stream words after a pool (kind max or global_average), NHWC. Max: the largest word of each window, of
/// what lies inside the image. Global average: (sum + n/2) / n, floor division.
std::vector<std::int32_t> pooled(const std::vector<std::int32_t>& words, const TensorShape& shape,
                                 const Pool& pool);

}  // namespace twofour::nas
