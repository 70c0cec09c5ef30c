#include "twofour/nas/graph/workload_builder.h"
#include "twofour/nas/graph/workload_networks.h"

namespace twofour::nas {
namespace {

constexpr std::int64_t classes = 1000;

/// Convolution, batch normalisation and, unless the name of the activation is empty, an activation.
Value conv_norm(WorkloadBuilder& net, const std::string& name, const Value& in, const ConvSpec& spec,
                const std::string& activation) {
  const auto x = net.batch_norm(name + ".bn", net.convolution(name, in, spec));
  return activation.empty()
             ? x
             : net.elementwise(name + "." + (activation == "Clip" ? "clip" : "relu"), activation, x);
}

Value classifier(WorkloadBuilder& net, const Value& in) {
  const auto pooled = net.global_pool("avgpool", in);
  return net.linear("fc", net.view("flatten", "Flatten", pooled, pooled), classes);
}

Value residual_body(WorkloadBuilder& net, const std::string& name, const Value& in, ResnetBlock block,
                    std::int64_t width, std::int64_t stride) {
  if (block == ResnetBlock::basic) {
    const auto x = conv_norm(net, name + ".conv1", in, {width, 3, stride, 1}, "Relu");
    return conv_norm(net, name + ".conv2", x, {width, 3, 1, 1}, "");
  }
  const bool v1 = block == ResnetBlock::bottleneck_v1;
  auto x = conv_norm(net, name + ".conv1", in, {width, 1, v1 ? stride : 1, 0}, "Relu");
  x = conv_norm(net, name + ".conv2", x, {width, 3, v1 ? 1 : stride, 1}, "Relu");
  return conv_norm(net, name + ".conv3", x, {4 * width, 1, 1, 0}, "");
}

Value residual_block(WorkloadBuilder& net, const std::string& name, const Value& in, ResnetBlock block,
                     std::int64_t width, std::int64_t stride) {
  const std::int64_t filters = block == ResnetBlock::basic ? width : 4 * width;
  Value shortcut = in;
  if (stride != 1 || in.channels != filters)
    shortcut = conv_norm(net, name + ".downsample", in, {filters, 1, stride, 0}, "");
  const auto body = residual_body(net, name, in, block, width, stride);
  return net.elementwise(name + ".relu", "Relu", net.add(name + ".add", body, shortcut));
}

/// Expansion by 1x1, 3x3 depthwise, projection by 1x1; the input is added where the shapes agree.
Value inverted_residual(WorkloadBuilder& net, const std::string& name, const Value& in,
                        std::int64_t expansion, std::int64_t filters, std::int64_t stride) {
  const std::int64_t hidden = in.channels * expansion;
  Value x = in;
  if (expansion != 1) x = conv_norm(net, name + ".expand", x, {hidden, 1, 1, 0}, "Clip");
  x = conv_norm(net, name + ".depthwise", x, {hidden, 3, stride, 1, hidden}, "Clip");
  x = conv_norm(net, name + ".project", x, {filters, 1, 1, 0}, "");
  return stride == 1 && in.channels == filters ? net.add(name + ".add", x, in) : x;
}

}  // namespace

Workload resnet(std::string_view name, const std::vector<int>& blocks, ResnetBlock block,
                const WorkloadSizes& sizes) {
  WorkloadBuilder net(std::string(name), sizes.batch);
  auto x = conv_norm(net, "conv1", net.image(sizes.image), {64, 7, 2, 3}, "Relu");
  x = net.pool("maxpool", x, 3, 2, 1);
  for (std::size_t stage = 0; stage < blocks.size(); ++stage)
    for (int i = 0; i < blocks[stage]; ++i)
      x = residual_block(net, "layer" + std::to_string(stage + 1) + "." + std::to_string(i), x, block,
                         std::int64_t{64} << stage, stage > 0 && i == 0 ? 2 : 1);
  classifier(net, x);
  return net.finish();
}

Workload vgg16(std::string_view name, const WorkloadSizes& sizes) {
  WorkloadBuilder net(std::string(name), sizes.batch);
  Value x = net.image(sizes.image);
  const std::vector<std::vector<int>> stages{
      {64, 64}, {128, 128}, {256, 256, 256}, {512, 512, 512}, {512, 512, 512}};
  for (std::size_t s = 0; s < stages.size(); ++s) {
    for (std::size_t i = 0; i < stages[s].size(); ++i) {
      const std::string layer = "conv" + std::to_string(s + 1) + "_" + std::to_string(i + 1);
      x = net.convolution(layer, x, {stages[s][i], 3, 1, 1, 1, true});
      x = net.elementwise(layer + ".relu", "Relu", x);
    }
    x = net.pool("pool" + std::to_string(s + 1), x, 2, 2, 0);
  }
  x = net.view("flatten", "Flatten", x, {x.node, x.batch, 1, 1, x.height * x.width * x.channels});
  x = net.elementwise("fc1.relu", "Relu", net.linear("fc1", x, 4096));
  x = net.elementwise("fc2.relu", "Relu", net.linear("fc2", x, 4096));
  net.linear("fc3", x, classes);
  return net.finish();
}

Workload mobilenet_v2(std::string_view name, const WorkloadSizes& sizes) {
  struct Stage {
    std::int64_t expansion, filters, blocks, stride;
  };
  WorkloadBuilder net(std::string(name), sizes.batch);
  auto x = conv_norm(net, "stem", net.image(sizes.image), {32, 3, 2, 1}, "Clip");
  int block = 0;
  for (const Stage& s : {Stage{1, 16, 1, 1},
                         {6, 24, 2, 2},
                         {6, 32, 3, 2},
                         {6, 64, 4, 2},
                         {6, 96, 3, 1},
                         {6, 160, 3, 2},
                         {6, 320, 1, 1}})
    for (std::int64_t i = 0; i < s.blocks; ++i)
      x = inverted_residual(net, "block" + std::to_string(++block), x, s.expansion, s.filters,
                            i == 0 ? s.stride : 1);
  x = conv_norm(net, "head", x, {1280, 1, 1, 0}, "Clip");
  classifier(net, x);
  return net.finish();
}

}  // namespace twofour::nas
