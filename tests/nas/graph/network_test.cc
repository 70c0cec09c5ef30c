#include "twofour/nas/graph/network.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

const Layer& find(const Network& n, std::string_view name) {
  const auto at = std::ranges::find(n.layers, name, &Layer::name);
  EXPECT_NE(at, n.layers.end()) << name;
  return *at;
}

int index_of(const Network& n, std::string_view name) {
  return int(std::ranges::find(n.layers, name, &Layer::name) - n.layers.begin());
}

TEST(ResnetSmall, HasTheLayersOfResnet20) {
  const Network n = resnet_small(3, 16, 1, 32);
  EXPECT_EQ(n.name, "resnet20-w16");
  // He et al.: 6n + 2 weighted layers; two projections come on top.
  ASSERT_EQ(n.layers.size(), 22u);
  // Published for CIFAR ResNet-20 with 3 input channels: 0.27 M parameters. Convolutions and classifier, with
  // one input channel: 144 + 6*2304 + (4608 + 5*9216) + (18432 + 5*36864) + projections 512 + 2048 +
  // classifier 640.
  std::int64_t weights = 0;
  for (const Layer& l : n.layers) weights += l.shape.gemm_m() * l.shape.gemm_k();
  EXPECT_EQ(weights, 144 + 6 * 2304 + 4608 + 5 * 9216 + 18432 + 5 * 36864 + 512 + 2048 + 640);
}

TEST(ResnetSmall, EveryTensorFits) {
  for (const int blocks : {1, 2, 3})
    for (const int stride : {1, 2}) {
      const Network n = resnet_small(blocks, 8, stride);
      std::vector<std::array<std::int64_t, 3>> tensors{{28, 28, 1}};
      for (const Layer& l : n.layers) {
        const auto in = tensors.at(std::size_t(l.input));
        EXPECT_EQ(l.shape.in_channels, in[2]) << l.name;
        if (l.pool.kind == PoolKind::none) {
          EXPECT_EQ(l.shape.height, in[0]) << l.name;
        }
        const std::array<std::int64_t, 3> out{l.shape.out_height(), l.shape.out_width(),
                                              l.shape.out_channels};
        if (l.residual >= 0) {
          EXPECT_EQ(tensors.at(std::size_t(l.residual)), out) << l.name;
        }
        tensors.push_back(out);
      }
      EXPECT_EQ(tensors.back(), (std::array<std::int64_t, 3>{1, 1, 10}));
    }
}

TEST(ResnetSmall, WiresResidualsAsABasicBlock) {
  const Network n = resnet_small(2, 16, 1);
  // Identity block: the second convolution adds the block's input, the stem's output (tensor 1).
  EXPECT_EQ(find(n, "stage1.block1.conv1").input, 1);
  EXPECT_EQ(find(n, "stage1.block1.conv2").residual, 1);
  EXPECT_EQ(find(n, "stage1.block2.conv2").residual, index_of(n, "stage1.block1.conv2") + 1);
  // Projection block: convolution and projection read the same tensor, the projection's output is added.
  const Layer& projection = find(n, "stage2.block1.proj");
  EXPECT_EQ(projection.input, find(n, "stage2.block1.conv1").input);
  EXPECT_EQ(projection.shape.stride, 2);
  EXPECT_EQ(projection.shape.kernel_h, 1);
  EXPECT_EQ(projection.activation, Activation::none);
  const Layer& second = find(n, "stage2.block1.conv2");
  EXPECT_EQ(second.residual, index_of(n, "stage2.block1.proj") + 1);
  EXPECT_EQ(second.input, index_of(n, "stage2.block1.conv1") + 1);
  EXPECT_EQ(second.activation, Activation::relu);
  EXPECT_EQ(second.shape.height, 14);
  EXPECT_EQ(n.layers.back().pool.kind, PoolKind::global_average);
  EXPECT_EQ(n.layers.back().activation, Activation::none);
}

TEST(ResnetSmall, RefusesIllegalSizes) {
  EXPECT_THROW(resnet_small(0, 16, 1), Error);
  EXPECT_THROW(resnet_small(1, 0, 1), Error);
  EXPECT_THROW(resnet_small(1, 16, 3), Error);
  EXPECT_THROW(resnet_small(1, 16, 1, 4), Error);
  EXPECT_THROW(resnet_small(1, 16, 1, 28, 1), Error);
}

TEST(Options, SparseOnlyWhereLegalAndEndsStayDense) {
  const Network narrow = resnet_small(1, 8, 1), wide = resnet_small(1, 16, 1);
  const std::vector<Option> ends{Option::fp16, Option::int8};
  EXPECT_EQ(legal_options(wide, 0), ends);
  EXPECT_EQ(legal_options(wide, wide.layers.size() - 1), ends);
  EXPECT_EQ(legal_options(wide, 1).size(), default_menu.size());
  // 8 input channels: no sparse form.
  EXPECT_EQ(legal_options(narrow, 1),
            (std::vector<Option>{Option::fp16, Option::int8, Option::int4, arbitrary_precision(1, 2),
                                 Option::int1}));
}

TEST(Options, NamesRoundTrip) {
  for (const OptionInfo& o : option_table) {
    EXPECT_EQ(parse_option(o.name), o.option);
    EXPECT_EQ(info(o.option).name, o.name);
  }
  try {
    parse_option("int2");
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("int4-4:8"), std::string::npos);
  }
}

}  // namespace
}  // namespace twofour::nas
