#pragma once
#include <torch/torch.h>

#include "twofour/nas/train/dataset.h"

namespace twofour::nas {

/// Memory for n images in the order of a Dataset: n x height x width x channels.
inline torch::Tensor image_memory(const Dataset& data, std::int64_t n) {
  return torch::empty({n, data.height, data.width, data.channels});
}

/// The same memory as N x C x H x W, channels last.
inline torch::Tensor as_images(const torch::Tensor& memory) {
  const auto s = memory.sizes();
  return s[3] == 1 ? memory.view({s[0], 1, s[1], s[2]}) : memory.permute({0, 3, 1, 2});
}

/// Images [first, last) of the set, pixel / 255, as N x C x H x W.
inline torch::Tensor pixel_images(const Dataset& data, int first, int last) {
  const torch::Tensor memory = image_memory(data, last - first);
  const std::uint8_t* from = data.image(first);
  float* to = memory.data_ptr<float>();
  for (std::int64_t i = 0; i < memory.numel(); ++i) to[i] = float(from[i]) / 255.0f;
  return as_images(memory);
}

}  // namespace twofour::nas
