// Depthwise layers: CUDA cores against the independent reference, and sums worked out by hand.
#include "twofour/nas/deploy/depthwise.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "deployed_networks.h"
#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

using Words = std::vector<std::int32_t>;
using Run = std::vector<LayerResult> (*)(const DeployedNetwork&, const Words&, int);
constexpr std::int32_t one = 1 << stream_fraction_bits;
constexpr int h_one = 0x3c00, h_4096 = 0x6c00, h_half = 0x3800;

class Depthwise : public testing::TestWithParam<Run> {
 protected:
  static LayerResult run(const Layer& layer, const DeployedLayer& deployed, const Words& images,
                         int batch = 1) {
    return GetParam()({{"one", {layer}}, {deployed}}, images, batch)[0];
  }
  /// At least two channels: one alone is no group.
  static Layer layer(emu::ConvShape shape) {
    Layer l = point_layer(shape.in_channels, shape.in_channels);
    l.shape = shape;
    l.shape.out_channels = l.groups = shape.in_channels;
    return l;
  }
};
INSTANTIATE_TEST_SUITE_P(Routes, Depthwise, testing::Values(&run_emulated, &run_reference),
                         [](const auto& p) { return p.index == 0 ? "emulated" : "reference"; });

TEST_P(Depthwise, EveryChannelHasItsOwnKernel) {
  const Layer l = layer({.height = 2, .width = 2, .in_channels = 2, .kernel_h = 3, .kernel_w = 3, .pad = 1});
  const DeployedLayer d =
      deployed_layer(Option::int8, l, {1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0, 0, -1, 0, 0, 0, 100});
  // Channel 0: 1 2 / 3 4, channel 1: 10 20 / 30 40.
  const LayerResult r =
      run(l, d, {1 * one, 10 * one, 2 * one, 20 * one, 3 * one, 30 * one, 4 * one, 40 * one});
  // Channel 0: 5*1+6*2+8*3+9*4, 4*1+5*2+7*3+8*4, 2*1+3*2+5*3+6*4, 1*1+2*2+4*3+5*4. Channel 1: -10+4000, -20,
  // ...
  EXPECT_EQ(r.output, (Words{77, 3990, 67, -20, 47, -30, 37, -40}));
  EXPECT_EQ(r.accumulators.rows(), 4);
  EXPECT_EQ(r.accumulators.cols(), 2);
}

TEST_P(Depthwise, StrideTakesEverySecondPixel) {
  const Layer l =
      layer({.height = 4, .width = 5, .in_channels = 2, .kernel_h = 2, .kernel_w = 2, .stride = 2});
  const DeployedLayer d = deployed_layer(Option::int8, l, {1, 10, 2, 20, 0, 0, 0, 1});
  Words image;
  for (int i = 0; i < 20; ++i) image.insert(image.end(), {i * one, (20 - i) * one});
  // Corners 0, 2, 10, 12: x + 10 (x+1) + 2 (x+5) + 20 (x+6) = 33 x + 140; the last column is in no window.
  // Channel 1: 20 - (x+6).
  EXPECT_EQ(run(l, d, image).output, (Words{140, 14, 206, 12, 470, 4, 536, 2}));
}

/// fp32 multiply-adds in the order r, s. 2^24 + 1 ties to 2^24, so that ones which come after 2^24 are lost
/// one by one; those before it are kept. A Tensor Core block would sum all at once.
TEST_P(Depthwise, HalvesAreAChainInOrder) {
  for (const bool row : {true, false}) {
    const Layer l = row ? layer({.height = 1, .width = 3, .in_channels = 2, .kernel_h = 1, .kernel_w = 3})
                        : layer({.height = 3, .width = 1, .in_channels = 2, .kernel_h = 3, .kernel_w = 1});
    const DeployedLayer d = deployed_layer(Option::fp16, l, {h_4096, h_one, h_one, h_one, h_one, h_4096});
    const LayerResult r = run(l, d, {4096 * one, one, one, one, one, 4096 * one});
    EXPECT_EQ(r.accumulators.bits(0, 0), 0x4b800000u);  // 2^24
    EXPECT_EQ(r.accumulators.bits(0, 1), 0x4b800001u);  // 2^24 + 2
  }
}

/// 2^24 + 1.5 rounds to 2^24 + 2, where truncation would leave 2^24; 2^24 + 3 ties to 2^24 + 4, the even one.
TEST_P(Depthwise, HalvesRoundToNearestEven) {
  const Layer l = layer({.height = 1, .width = 2, .in_channels = 2, .kernel_h = 1, .kernel_w = 2});
  const DeployedLayer d = deployed_layer(Option::fp16, l, {h_4096, h_half, h_4096, h_half});
  const LayerResult r = run(l, d, {4096 * one, -4096 * one, 3 * one, -3 * one});
  EXPECT_EQ(r.accumulators.bits(0, 0), 0x4b800001u);
  EXPECT_EQ(r.accumulators.bits(0, 1), 0xcb800001u);
  EXPECT_EQ(run(l, d, {4096 * one, 0, 6 * one, 0}).accumulators.bits(0, 0), 0x4b800002u);
}

TEST_P(Depthwise, RefusesOtherGroupsAndOptions) {
  std::mt19937 random(3);
  const Layer good =
      layer({.height = 4, .width = 4, .in_channels = 8, .kernel_h = 3, .kernel_w = 3, .pad = 1});
  const auto refuse = [&](const Layer& l, Option option, std::string_view words) {
    try {
      GetParam()(random_deployed({"one", {l}}, {option}, random), Words(4 * 4 * 8, one), 1);
      ADD_FAILURE() << "accepted: " << words;
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(words), std::string::npos) << e.what();
    }
  };
  Layer grouped = good;
  grouped.groups = 2;
  refuse(grouped, Option::int8, "2 groups of 8 input");
  Layer wider = good;
  wider.shape.out_channels = 16;
  refuse(wider, Option::int8, "8 groups of 8 input and 16 output");
  refuse(good, Option::int4, "depthwise layers take int8 or fp16");
  refuse(good, Option::int1, "depthwise layers take int8 or fp16");
}

TEST(DepthwiseRandom, EmulatedEqualsReference) {
  std::mt19937 random(5);
  for (int i = 0; i < 60; ++i) {
    const auto draw = [&](int least, int most) { return least + int(random() % unsigned(most - least + 1)); };
    Layer l = point_layer(draw(1, 40), 1);
    l.groups = l.shape.out_channels = l.shape.in_channels;
    l.shape.height = draw(5, 12), l.shape.width = draw(5, 12);
    l.shape.kernel_h = draw(1, 5), l.shape.kernel_w = draw(1, 5);
    l.shape.stride = draw(1, 3), l.shape.pad = draw(0, 2);
    l.activation = Activation(i % 3);
    if (l.groups == 1) continue;
    const Option option = i % 2 ? Option::int8 : Option::fp16;
    const DeployedNetwork net = random_deployed({"one", {l}}, {option}, random);
    const Words images = random_images(net.network, 2, random);
    const Comparison c = compare(run_emulated(net, images, 2), run_reference(net, images, 2));
    EXPECT_EQ(c.differing, 0) << i << " " << name(option) << " of " << c.compared;
  }
}

}  // namespace
}  // namespace twofour::nas
