// Networks with pools, ReLU6 and depthwise layers: a step of training, forward passes, and deployment.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "synthetic_images.h"
#include "twofour/nas/deploy/pool.h"
#include "twofour/nas/graph/network_builder.h"
#include "twofour/nas/graph/network_zoo.h"
#include "twofour/nas/timing/layer_latency.h"
#include "twofour/nas/train/deployment_check.h"
#include "twofour/nas/train/trainer.h"

namespace twofour::nas {
namespace {

Dataset random_images(int count, int side) {
  std::mt19937 random(4);
  Dataset data{count, side, side, 10, {}, {}, 3};
  for (int i = 0; i < count; ++i) data.labels.push_back(static_cast<std::uint8_t>(random() % 10));
  for (std::int64_t i = 0; i < count * data.image_size(); ++i)
    data.pixels.push_back(static_cast<std::uint8_t>(random()));
  return data;
}

std::string test_name(const testing::TestParamInfo<const char*>& p) {
  std::string name = p.param;
  std::ranges::replace(name, '-', '_');
  return name;
}

class ZooStep : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Names, ZooStep,
                         testing::Values("resnet8", "resnet20-s2", "resnet18-w16", "resnet50-w8", "vgg16-w8",
                                         "vgg11-w8-gap", "mobilenetv2-w8"),
                         test_name);

/// Without decay a weight moves only if its gradient is not zero.
TEST_P(ZooStep, GradientsReachEveryLayer) {
  const ScratchFolder folder;
  const Network network = network_by_name(GetParam(), 32, 3, 10);
  const Dataset images = random_images(8, 32);
  Engine engine(model_spec(network), 1);
  const std::vector<float> before = engine.state();
  const TrainPlan plan{.epochs = 1, .batch = 8, .peak_rate = 0.1, .weight_decay = 0, .shift = 4};
  const auto history = engine.train(plan, images, images, folder.file("a.ckpt"), {{"a", "b"}}, "test");
  EXPECT_TRUE(std::isfinite(history.at(0).loss));
  EXPECT_GT(history[0].loss, 1);
  const std::vector<float> after = engine.state();
  std::size_t at = 0;
  for (const Layer& l : network.layers) {
    const std::size_t weights = std::size_t(l.shape.out_channels * l.weight_columns());
    std::size_t moved = 0;
    for (std::size_t i = at; i < at + weights; ++i) moved += before[i] != after[i];
    EXPECT_GT(moved, weights / 10) << l.name;
    // Batch normalisation, steps of the weights and of the input.
    at += weights + std::size_t(l.shape.out_channels) * (&l == &network.layers.back() ? 2 : 5) + 1;
  }
  EXPECT_EQ(at, after.size());
}

class ZooForward : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Names, ZooForward,
                         testing::Values("resnet18", "resnet50", "mobilenetv2", "vgg16-gap"), test_name);

TEST_P(ZooForward, At32Pixels) {
  Engine engine(model_spec(network_by_name(GetParam(), 32, 3, 10)), 1);
  const Score score = engine.evaluate(random_images(2, 32));
  EXPECT_EQ(score.images, 2);
  EXPECT_TRUE(std::isfinite(score.loss));
}

/// Three classes that differ in their colour alone, mirrored and moved as in training.
TEST(Colours, AreLearnt) {
  std::mt19937 random(8);
  const auto images = [&](int count) {
    Dataset data{count, 8, 8, 10, {}, {}, 3};
    for (int i = 0; i < count; ++i) {
      data.labels.push_back(static_cast<std::uint8_t>(random() % 3));
      for (int p = 0; p < 192; ++p)
        data.pixels.push_back(
            static_cast<std::uint8_t>(random() % 100 + (p % 3 == data.labels.back() ? 120 : 0)));
    }
    return data;
  };
  const ScratchFolder folder;
  const Dataset train = images(320), heldout = images(100);
  Engine engine(model_spec(network_by_name("resnet8", 8, 3, 10)), 1);
  engine.train({.epochs = 2, .batch = 32, .peak_rate = 0.1}, train, heldout, folder.file("a.ckpt"),
               {{"a", "b"}}, "test");
  EXPECT_GT(engine.evaluate(heldout).accuracy(), 0.95);
}

/// White pixels through a 1x1 stem of gain 10 or -10 and an average; scores (x, 0), whose loss is log(1 +
/// e^-x).
TEST(Relu6, ClampsInTraining) {
  NetworkBuilder net("clamp", 8, 1, 2);
  const Network network =
      net.pooled_classifier(net.convolution("stem", net.image(), {1, 1}, Activation::relu6));
  Engine engine(model_spec(network), 1);
  engine.set_layer_parameters(1, {{1, 0}, {}, {0, 0}, {}, {}});
  const Dataset white{1, 8, 8, 2, std::vector<std::uint8_t>(64, 255), {0}};
  for (const auto& [weight, out] : {std::pair(10.0f, 6.0), {3.0f, 3.0}, {-10.0f, 0.0}}) {
    engine.set_layer_parameters(0, {{weight}, {1}, {0}, {0}, {1 - 1e-5f}});
    EXPECT_NEAR(engine.evaluate(white).loss, std::log1p(std::exp(-out)), 1e-5) << weight;
  }
}

/// Everything at once on 8x8 colours: a pooled tensor that two layers read and a residual add takes, a
/// depthwise layer of stride 2, ReLU6, a linear layer whose negative outputs are read.
Network small_network() {
  NetworkBuilder net("small", 8, 3, 10);
  NetworkTensor x = net.convolution("stem", net.image(), {16, 3}, Activation::relu6);
  const NetworkTensor pooled_stem = net.max_pool(x, 3, 1, 1);
  x = net.convolution("depthwise1", pooled_stem, {16, 3, 1, 1, 16}, Activation::relu6);
  x = net.convolution("project1", x, {16, 1}, Activation::none);
  net.add_residual(pooled_stem);
  x = net.convolution("expand2", x, {32, 1}, Activation::relu6);
  x = net.convolution("depthwise2", x, {32, 3, 2, 1, 32}, Activation::relu6);
  x = net.convolution("project2", x, {32, 1});
  return net.pooled_classifier(x);
}

struct SmallNetwork : testing::Test {
  const Dataset train = synthetic_images(640, 1, 3), heldout = synthetic_images(200, 2, 3);
  const Network network = small_network();
  const Recipe recipe{.dense = {.epochs = 2, .batch = 32, .peak_rate = 0.1, .flip = false, .shift = 0},
                      .fine_tune = {.epochs = 1, .batch = 32, .peak_rate = 0.01, .flip = false, .shift = 0},
                      .calibration_images = 100};
  ScratchFolder folder;
};

/// Both routes of the deployed network agree. The exported integers give the codes that fake quantisation
/// gives, but for values near half a code.
TEST_F(SmallNetwork, ExportAgreesWithFakeQuantisation) {
  for (const auto& options : {uniform_options(network, Option::int8, Option::fp16),
                              uniform_options(network, Option::int4, Option::int8)}) {
    Trainer t(network, recipe, train, heldout, folder.path.string());
    t.train();
    std::vector<Option> legal = options;
    for (std::size_t i = 0; i < legal.size(); ++i)
      if (!is_legal(network, i, legal[i])) legal[i] = Option::fp16;
    t.fine_tune(legal);
    EXPECT_GT(t.evaluate(heldout).accuracy(), 0.8);
    const DeployedNetwork deployed = t.export_network();
    const auto results = run_emulated(deployed, stream_words(heldout), heldout.count);
    EXPECT_EQ(compare(results, run_reference(deployed, stream_words(heldout), heldout.count)).differing, 0);
    const auto codes = t.engine().input_codes(heldout);
    int integer_layers = 0;
    for (std::size_t i = 0; i + 1 < network.layers.size(); ++i) {
      if (codes[i].empty()) continue;
      ++integer_layers;
      const Layer& l = network.layers[i];
      std::vector<std::int32_t> words = stream_words(heldout);
      if (l.input > 0) words = results[std::size_t(l.input - 1)].output;
      if (l.pool.kind != PoolKind::none) words = pooled(words, {heldout.count, 8, 8, 16}, l.pool);
      ASSERT_EQ(codes[i].size(), words.size()) << l.name;
      std::size_t differing = 0;
      for (std::size_t j = 0; j < words.size(); ++j)
        differing += std::clamp<std::int64_t>(deployed.layers[i].input_scale.apply(words[j]), 0,
                                              activation_levels(legal[i])) != std::int64_t(codes[i][j]);
      EXPECT_LE(double(differing), (l.input == 0 ? 0 : 0.02) * double(words.size())) << l.name;
    }
    EXPECT_GE(integer_layers, 4);
    EXPECT_NEAR(count_correct(results.back().output, heldout), t.evaluate(heldout).correct, 3);
  }
}

}  // namespace
}  // namespace twofour::nas
