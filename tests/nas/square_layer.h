#pragma once
#include <cstdint>
#include <string>
#include <utility>

#include "twofour/nas/graph/network.h"

namespace twofour::nas {

/// A convolution of stride 1 on size x size pixels, padded by half its kernel, that reads tensor `input`.
inline Layer square_layer(std::string name, std::int64_t size, std::int64_t in, std::int64_t out,
                          std::int64_t kernel, int input) {
  Layer l;
  l.name = std::move(name);
  l.shape = {.height = size,
             .width = size,
             .in_channels = in,
             .out_channels = out,
             .kernel_h = kernel,
             .kernel_w = kernel,
             .pad = kernel / 2};
  l.input = input;
  return l;
}

}  // namespace twofour::nas
