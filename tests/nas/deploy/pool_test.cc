// Max pools and ReLU6 on stream words.
#include "twofour/nas/deploy/pool.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "deployed_networks.h"
#include "twofour/isa/error.h"
#include "twofour/nas/graph/network_zoo.h"

namespace twofour::nas {
namespace {

using Words = std::vector<std::int32_t>;
constexpr std::int32_t one = 1 << stream_fraction_bits;

using Run = std::vector<LayerResult> (*)(const DeployedNetwork&, const Words&, int);

class PoolRoutes : public testing::TestWithParam<Run> {};
INSTANTIATE_TEST_SUITE_P(Routes, PoolRoutes, testing::Values(&run_emulated, &run_reference),
                         [](const auto& p) { return p.index == 0 ? "emulated" : "reference"; });

// By hand from the rules in layer_kinds.h.
TEST(Pool, WordsByHand) {
  const Words x{1, -2, 3, 4, -5, 6, -7, 8, -9};
  const TensorShape square{1, 3, 3, 1};
  EXPECT_EQ(pooled(x, square, {PoolKind::max, 2, 2, 1}), (Words{1, 3, 4, 8}));  // windows begin at -1 and 1
  EXPECT_EQ(pooled({-4}, {}, {PoolKind::max, 3, 1, 1}), (Words{-4}));
  const Pool average{PoolKind::global_average};
  // (1 - 2 + 3 + 4 - 5 + 6 - 7 + 8 - 9 + 4) / 9 = 3 / 9.
  EXPECT_EQ(pooled(x, square, average), (Words{0}));
  EXPECT_EQ(pooled({-3, 0}, {1, 1, 2, 1}, average), (Words{-1}));  // (-3 + 1) / 2
  EXPECT_EQ(pooled({-4, 0}, {1, 1, 2, 1}, average), (Words{-2}));  // (-4 + 1) / 2 = -1.5, floor
}

/// A first layer passes a 3x4 image on, in halves: words are exact, negative ones too.
DeployedNetwork passing_network(const Layer& second) {
  Layer pass = point_layer(1, 1);
  pass.shape.height = 3, pass.shape.width = 4;
  constexpr int h_one = 0x3c00;
  DeployedNetwork net{
      {"pool", {pass, second}},
      {deployed_layer(Option::fp16, pass, {h_one}), deployed_layer(Option::fp16, second, {h_one})}};
  for (DeployedLayer& d : net.layers) d.float_scale = {65536};
  return net;
}

TEST_P(PoolRoutes, MaxTakesTheLargestInsideTheImage) {
  Layer second = point_layer(1, 1);
  second.input = 1;
  second.shape.height = second.shape.width = 2;
  second.pool = {PoolKind::max, 3, 2, 1};
  // Windows: rows {0,1}, {1,2}; columns {0,1}, {1,2,3}. All words are negative: the border takes no part.
  const Words image{-1, -2, -3, -4, -5, -6, -7, -8, -9, -10, -11, -3};
  EXPECT_EQ(GetParam()(passing_network(second), image, 1)[1].output, (Words{-1, -2, -5, -3}));
}

TEST_P(PoolRoutes, MaxLeavesOutWhatNoWindowReaches) {
  Layer second = point_layer(1, 1);
  second.input = 1;
  second.shape.height = 1, second.shape.width = 2;
  second.pool = {PoolKind::max, 2, 2, 0};
  const Words image{1, 2, 3, 4, 5, 6, 7, 8, 90, 91, 92, 93};  // the last row is in no window
  EXPECT_EQ(GetParam()(passing_network(second), image, 1)[1].output, (Words{6, 8}));
}

TEST_P(PoolRoutes, ResidualsArePooledToo) {
  Layer second = point_layer(1, 1);
  second.input = 1;
  second.shape.height = 1, second.shape.width = 2;
  second.pool = second.residual_pool = {PoolKind::max, 2, 2, 0};
  second.residual = 1;
  const Words image{1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0};
  EXPECT_EQ(GetParam()(passing_network(second), image, 1)[1].output, (Words{12, 16}));
}

TEST_P(PoolRoutes, Relu6ClampsBothSides) {
  Layer layer = point_layer(1, 1);
  layer.activation = Activation::relu6;
  DeployedLayer d = deployed_layer(Option::int8, layer, {1});
  d.output_scale = {FixedScale::of(65536)};
  d.bias = {-3 * one};
  const Words words{0, 3 * one, 5 * one, 9 * one, 10 * one};
  EXPECT_EQ(GetParam()({{"one", {layer}}, {d}}, words, 5)[0].output,
            (Words{0, 0, 2 * one, 6 * one, 6 * one}));
}

TEST_P(PoolRoutes, RefusesIllegalPools) {
  Layer second = point_layer(1, 1);
  second.input = 1;
  second.shape.height = second.shape.width = 2;
  const auto refuse = [&](Pool pool, int input, std::string_view words) {
    second.pool = pool;
    second.input = input;
    try {
      GetParam()(passing_network(second), Words(12, 0), 1);
      ADD_FAILURE() << "accepted: " << words;
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(words), std::string::npos) << e.what();
    }
  };
  refuse({PoolKind::max, 3, 2, 1}, 0, "pools the image");
  refuse({PoolKind::max, 3, 2, 2}, 1, "border is at most half");
  refuse({PoolKind::max, 4, 2, 0}, 1, "border is at most half");
  refuse({PoolKind::max, 2, 0, 0}, 1, "border is at most half");
  refuse({PoolKind::max, 2, 1, 0}, 1, "reads tensor 1 of 2 x 3 x 1");
}

/// Every network of the zoo, small, with random legal options and words.
class DeployedZoo : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Names, DeployedZoo,
                         testing::Values("resnet8-w16", "resnet18-w16", "resnet50-w8", "vgg11-w16",
                                         "vgg16-w8-gap", "mobilenetv2-w8"),
                         [](const auto& p) {
                           std::string name = p.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST_P(DeployedZoo, EmulatedEqualsReference) {
  std::mt19937 random(21);
  const Network network = network_by_name(GetParam(), 32, 3, 10);
  for (int i = 0; i < 3; ++i) {
    std::vector<Option> options;
    for (std::size_t l = 0; l < network.layers.size(); ++l) {
      const std::vector<Option> legal = legal_options(network, l);
      options.push_back(legal[random() % legal.size()]);
    }
    const DeployedNetwork net = random_deployed(network, options, random);
    const Words images = random_images(network, 2, random);
    const auto emulated = run_emulated(net, images, 2);
    const Comparison c = compare(emulated, run_reference(net, images, 2));
    for (std::size_t l = 0; l < c.differing_per_layer.size(); ++l)
      EXPECT_EQ(c.differing_per_layer[l], 0) << network.layers[l].name << " " << name(options[l]);
    EXPECT_TRUE(std::ranges::any_of(emulated.back().output, [](std::int32_t x) { return x != 0; }));
  }
}

}  // namespace
}  // namespace twofour::nas
