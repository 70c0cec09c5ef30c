#include <fmt/format.h>

#include "twofour/isa/error.h"
#include "twofour/nas/graph/network_builder.h"
#include "twofour/nas/graph/network_sizes.h"

namespace twofour::nas {
namespace {

/// The shortcut: the input, or a 1x1 projection where the shape changes.
NetworkTensor projection(NetworkBuilder& net, const std::string& name, const NetworkTensor& in,
                         std::int64_t filters, int stride) {
  if (stride == 1 && in.channels == filters) return in;
  return net.convolution(name + ".proj", in, {filters, 1, stride}, Activation::none);
}

/// Two 3x3 convolutions around a residual; the ReLU after the sum is the second one's.
NetworkTensor basic_block(NetworkBuilder& net, const std::string& name, const NetworkTensor& in,
                          std::int64_t width, int stride) {
  const NetworkTensor x = net.convolution(name + ".conv1", in, {width, 3, stride});
  const NetworkTensor shortcut = projection(net, name, in, width, stride);
  const NetworkTensor out = net.convolution(name + ".conv2", x, {width, 3});
  net.add_residual(shortcut);
  return out;
}

NetworkTensor bottleneck(NetworkBuilder& net, const std::string& name, const NetworkTensor& in,
                         std::int64_t width, int stride) {
  NetworkTensor x = net.convolution(name + ".conv1", in, {width, 1});
  x = net.convolution(name + ".conv2", x, {width, 3, stride});
  const NetworkTensor shortcut = projection(net, name, in, 4 * width, stride);
  const NetworkTensor out = net.convolution(name + ".conv3", x, {4 * width, 1});
  net.add_residual(shortcut);
  return out;
}

void require(bool ok, std::string_view what, int value, std::string_view legal) {
  if (!ok) fail("resnet_small: {} is {}; use {}", what, value, legal);
}

}  // namespace

Network resnet_small(int blocks, int width, int stem_stride, int image, int classes, int channels) {
  require(blocks >= 1 && blocks <= 100, "blocks per stage", blocks, "1 to 100");
  require(width >= 1 && width <= 1024, "width", width, "1 to 1024");
  require(stem_stride == 1 || stem_stride == 2, "stem stride", stem_stride, "1 or 2");
  NetworkBuilder net(fmt::format("resnet{}-w{}", 6 * blocks + 2, width), image, channels, classes);
  NetworkTensor x = net.convolution("stem", net.image(), {width, 3, stem_stride});
  for (int stage = 0; stage < 3; ++stage)
    for (int block = 0; block < blocks; ++block)
      x = basic_block(net, fmt::format("stage{}.block{}", stage + 1, block + 1), x, width << stage,
                      stage > 0 && block == 0 ? 2 : 1);
  return net.pooled_classifier(x);
}

Network resnet(int depth, const NetworkSizes& given) {
  const NetworkSizes sizes = filled(given, 64, 2);
  if (depth != 18 && depth != 34 && depth != 50) fail("resnet{}: use resnet18, resnet34 or resnet50", depth);
  const int blocks_18[] = {2, 2, 2, 2}, blocks_34[] = {3, 4, 6, 3};
  const auto& blocks = depth == 18 ? blocks_18 : blocks_34;
  const auto block = depth == 50 ? bottleneck : basic_block;
  NetworkBuilder net(full_name(fmt::format("resnet{}", depth), given), sizes.image, sizes.channels,
                     sizes.classes);
  NetworkTensor x = net.convolution("stem", net.image(), {sizes.width, 7, sizes.stem_stride});
  x = net.max_pool(x, 3, 2, 1);
  for (int stage = 0; stage < 4; ++stage)
    for (int i = 0; i < blocks[stage]; ++i)
      x = block(net, fmt::format("stage{}.block{}", stage + 1, i + 1), x, std::int64_t(sizes.width) << stage,
                stage > 0 && i == 0 ? 2 : 1);
  return net.pooled_classifier(x);
}

}  // namespace twofour::nas
