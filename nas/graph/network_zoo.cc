#include <fmt/format.h>

#include "twofour/isa/error.h"
#include "twofour/nas/graph/network_builder.h"
#include "twofour/nas/graph/network_sizes.h"

namespace twofour::nas {
namespace {

/// Expansion by 1x1, 3x3 depthwise, linear 1x1; the input is added where the shapes agree.
NetworkTensor inverted_residual(NetworkBuilder& net, const std::string& name, const NetworkTensor& in,
                                std::int64_t expansion, std::int64_t filters, int stride) {
  const std::int64_t hidden = in.channels * expansion;
  NetworkTensor x = in;
  if (expansion != 1) x = net.convolution(name + ".expand", x, {hidden, 1}, Activation::relu6);
  x = net.convolution(name + ".depthwise", x, {hidden, 3, stride, 1, hidden}, Activation::relu6);
  x = net.convolution(name + ".project", x, {filters, 1}, Activation::none);
  if (stride == 1 && in.channels == filters) net.add_residual(in);
  return x;
}

/// The nearest multiple of 8, not below 8, nor more than a tenth below.
std::int64_t rounded_channels(double channels) {
  const std::int64_t nearest = std::max<std::int64_t>(8, std::int64_t(channels + 4) / 8 * 8);
  return double(nearest) < 0.9 * channels ? nearest + 8 : nearest;
}

}  // namespace

Network vgg(int depth, const NetworkSizes& given, bool global_pool) {
  const NetworkSizes sizes = filled(given, 64, 1);
  if (depth != 11 && depth != 13 && depth != 16) fail("vgg{}: use vgg11, vgg13 or vgg16", depth);
  NetworkBuilder net(full_name(fmt::format("vgg{}", depth), given) + (global_pool ? "-gap" : ""), sizes.image,
                     sizes.channels, sizes.classes);
  NetworkTensor x = net.image();
  for (int stage = 0; stage < 5; ++stage) {
    const int convolutions = depth == 16 ? (stage < 2 ? 2 : 3) : depth == 13 || stage >= 2 ? 2 : 1;
    for (int i = 0; i < convolutions; ++i)
      x = net.convolution(fmt::format("conv{}_{}", stage + 1, i + 1), x,
                          {std::int64_t(sizes.width) << std::min(stage, 3), 3});
    if (stage == 4 && global_pool) return net.pooled_classifier(x);
    x = net.max_pool(x, 2, 2, 0);
  }
  x = net.linear("fc1", x, 64 * std::int64_t(sizes.width));
  x = net.linear("fc2", x, 64 * std::int64_t(sizes.width));
  return net.classifier(x);
}

Network mobilenet_v2(const NetworkSizes& given) {
  struct Stage {
    int expansion, filters, blocks, stride;
  };
  const NetworkSizes sizes = filled(given, 32, 2);
  const double scale = sizes.width / 32.0;
  NetworkBuilder net(full_name("mobilenetv2", given), sizes.image, sizes.channels, sizes.classes);
  NetworkTensor x = net.convolution("stem", net.image(),
                                    {rounded_channels(sizes.width), 3, sizes.stem_stride}, Activation::relu6);
  int block = 0;
  for (const Stage& s : {Stage{1, 16, 1, 1},
                         {6, 24, 2, 2},
                         {6, 32, 3, 2},
                         {6, 64, 4, 2},
                         {6, 96, 3, 1},
                         {6, 160, 3, 2},
                         {6, 320, 1, 1}})
    for (int i = 0; i < s.blocks; ++i)
      x = inverted_residual(net, fmt::format("block{}", ++block), x, s.expansion,
                            rounded_channels(s.filters * scale), i == 0 ? s.stride : 1);
  x = net.convolution("head", x, {rounded_channels(1280 * std::max(1.0, scale)), 1}, Activation::relu6);
  return net.pooled_classifier(x);
}

}  // namespace twofour::nas
