#pragma once
#include <vector>

#include "twofour/nas/graph/onnx_node.h"

namespace twofour::nas::onnx {

/// What a Slice takes along one axis: start, start + step, ...
struct SliceAxis {
  std::int64_t start = 0, step = 1, count = 0;
};

/// By axis of input 0.
std::vector<SliceAxis> slice_axes(const Inference& n);

}  // namespace twofour::nas::onnx
