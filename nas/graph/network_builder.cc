#include "twofour/nas/graph/network_builder.h"

#include <algorithm>

#include "twofour/isa/error.h"

namespace twofour::nas {

NetworkBuilder::NetworkBuilder(std::string name, int image, int channels, int classes) : classes_(classes) {
  const auto require = [&](std::string_view what, int value, int least, int most) {
    if (value < least || value > most)
      fail("network {}: {} is {}; use {} to {}", name, what, value, least, most);
  };
  require("the image size", image, 8, 1024);
  require("the number of channels", channels, 1, 1024);
  require("the number of classes", classes, 2, 100000);
  network_.name = std::move(name);
  image_ = {0, image, channels, {}};
}

NetworkTensor NetworkBuilder::convolution(const std::string& name, const NetworkTensor& in,
                                          const ConvolutionSpec& spec, Activation activation) {
  Layer layer;
  layer.name = name;
  layer.shape = {.batch = 1,
                 .height = in.size,
                 .width = in.size,
                 .in_channels = in.channels,
                 .out_channels = spec.filters,
                 .kernel_h = spec.kernel,
                 .kernel_w = spec.kernel,
                 .stride = spec.stride,
                 .pad = spec.pad < 0 ? spec.kernel / 2 : spec.pad};
  layer.groups = spec.groups;
  layer.input = in.tensor;
  layer.activation = activation;
  layer.pool = in.pool;
  if (std::ranges::any_of(network_.layers, [&](const Layer& other) {
        return other.input == layer.input && other.pool == layer.pool;
      }))
    layer.pool.pixels = 0;
  network_.layers.push_back(layer);
  return {int(network_.layers.size()), layer.shape.out_height(), spec.filters, {}};
}

NetworkTensor NetworkBuilder::max_pool(const NetworkTensor& in, int kernel, int stride, int pad) const {
  if (in.size + 2 * pad < kernel)
    fail("network {}: a pool of {}x{} meets a tensor of {}x{}; use larger images", network_.name, kernel,
         kernel, in.size, in.size);
  return {in.tensor,
          (in.size + 2 * pad - kernel) / stride + 1,
          in.channels,
          {PoolKind::max, kernel, stride, pad, int(in.size * in.size)}};
}

void NetworkBuilder::add_residual(const NetworkTensor& shortcut) {
  Layer& layer = network_.layers.back();
  layer.residual = shortcut.tensor;
  layer.residual_pool = shortcut.pool;
  layer.residual_pool.pixels = 0;
}

NetworkTensor NetworkBuilder::linear(const std::string& name, const NetworkTensor& in, std::int64_t features,
                                     Activation activation) {
  return convolution(name, in, {features, int(in.size), 1, 0}, activation);
}

Network NetworkBuilder::classifier(const NetworkTensor& in) {
  linear("classifier", in, classes_, Activation::none);
  return std::move(network_);
}

Network NetworkBuilder::pooled_classifier(NetworkTensor in) {
  in.pool = {.kind = PoolKind::global_average, .pixels = int(in.size * in.size)};
  in.size = 1;
  return classifier(in);
}

}  // namespace twofour::nas
