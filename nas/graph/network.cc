#include "twofour/nas/graph/network.h"

#include <fmt/format.h>

#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

/// Appends layers and keeps track of the tensor they extend and of its size.
class Builder {
 public:
  Builder(std::string name, int image) : size_(image) { network_.name = std::move(name); }

  void stem(int width, int stride) { tensor_ = convolution("stem", 0, width, 3, stride, true); }

  /// Two 3x3 convolutions around a residual; a 1x1 projection where the shape changes. The ReLU after the sum
  /// is the second convolution's.
  void basic_block(const std::string& name, int width, int stride) {
    const int input = tensor_;
    const std::int64_t in_size = size_, in_channels = channels_;
    const int first = convolution(name + ".conv1", input, width, 3, stride, true);
    int residual = input;
    if (stride != 1 || in_channels != width) {
      size_ = in_size;
      channels_ = in_channels;
      residual = convolution(name + ".proj", input, width, 1, stride, false);
    }
    tensor_ = convolution(name + ".conv2", first, width, 3, 1, true);
    network_.layers.back().residual = residual;
  }

  Network classifier(int classes) {
    size_ = 1;
    convolution("classifier", tensor_, classes, 1, 1, false);
    network_.layers.back().pool = {.kind = PoolKind::global_average};
    return std::move(network_);
  }

 private:
  /// Returns the tensor that the layer writes.
  int convolution(std::string name, int input, int out_channels, int kernel, int stride, bool relu) {
    Layer layer;
    layer.name = std::move(name);
    layer.shape = {.batch = 1,
                   .height = size_,
                   .width = size_,
                   .in_channels = channels_,
                   .out_channels = out_channels,
                   .kernel_h = kernel,
                   .kernel_w = kernel,
                   .stride = stride,
                   .pad = kernel / 2};
    layer.input = input;
    layer.activation = relu ? Activation::relu : Activation::none;
    size_ = layer.shape.out_height();
    channels_ = out_channels;
    network_.layers.push_back(std::move(layer));
    return int(network_.layers.size());
  }

  Network network_;
  int tensor_ = 0;
  std::int64_t size_, channels_ = 1;
};

void require(bool ok, std::string_view what, int value, std::string_view legal) {
  if (!ok) fail("resnet_small: {} is {}; use {}", what, value, legal);
}

}  // namespace

Network resnet_small(int blocks, int width, int stem_stride, int image, int classes) {
  require(blocks >= 1 && blocks <= 100, "blocks per stage", blocks, "1 to 100");
  require(width >= 1 && width <= 1024, "width", width, "1 to 1024");
  require(stem_stride == 1 || stem_stride == 2, "stem stride", stem_stride, "1 or 2");
  require(image >= 8 && image <= 1024, "image size", image, "8 to 1024");
  require(classes >= 2 && classes <= 100000, "classes", classes, "2 to 100000");
  Builder builder(fmt::format("resnet{}-w{}", 6 * blocks + 2, width), image);
  builder.stem(width, stem_stride);
  for (int stage = 0; stage < 3; ++stage)
    for (int block = 0; block < blocks; ++block)
      builder.basic_block(fmt::format("stage{}.block{}", stage + 1, block + 1), width << stage,
                          stage > 0 && block == 0 ? 2 : 1);
  return builder.classifier(classes);
}

std::vector<Option> legal_options(const Network& network, std::size_t layer) {
  if (layer == 0 || layer + 1 == network.layers.size()) return {Option::fp16, Option::int8};
  std::vector<Option> legal;
  for (const Option o : default_menu)
    if (!info(o).sparse || network.layers.at(layer).sparse_legal()) legal.push_back(o);
  return legal;
}

}  // namespace twofour::nas
