#include "twofour/nas/train/post_training.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <csignal>

#include "synthetic_images.h"
#include "twofour/isa/error.h"
#include "twofour/nas/timing/layer_latency.h"
#include "twofour/nas/train/interrupt.h"
#include "twofour/nas/train/layerwise_pass.h"
#include "twofour/nas/train/trainer.h"

namespace twofour::nas {
namespace {

const Dataset train_set = synthetic_images(640, 1), heldout = synthetic_images(200, 2);
const Dataset calibration = slice(train_set, 0, 96);
const Network network = resnet_small(1, 16, 1, 8);

/// Random weights are as good as trained ones for all but accuracy.
struct PostTrainingTest : testing::Test {
  Engine engine{model_spec(network), 7};
  std::vector<LayerParameters> start = parameters();

  std::vector<LayerParameters> parameters() const {
    std::vector<LayerParameters> list;
    for (std::size_t i = 0; i < network.layers.size(); ++i) list.push_back(engine.layer_parameters(int(i)));
    return list;
  }
  void restore() {
    for (std::size_t i = 0; i < network.layers.size(); ++i) engine.set_layer_parameters(int(i), start[i]);
  }
  std::vector<Option> sparse_int8() const {
    return uniform_options(network, Option::int8_sparse, Option::int8);
  }
  PostTrainingResult run(const std::vector<Option>& options, const PostTrainingSettings& settings) {
    return post_training(engine, network, options, calibration, settings);
  }
};

TEST_F(PostTrainingTest, ParametersAreTheEnginesState) {
  Engine other(model_spec(network), 99);
  EXPECT_NE(other.state(), engine.state());
  for (std::size_t i = 0; i < network.layers.size(); ++i)
    other.set_layer_parameters(int(i), engine.layer_parameters(int(i)));
  EXPECT_EQ(other.evaluate(heldout).loss, engine.evaluate(heldout).loss);
  LayerParameters wrong;
  wrong.weight = {1, 2, 3};
  EXPECT_THROW(other.set_layer_parameters(1, wrong), Error);
}

/// Only the permutation: the network in full precision computes what it did.
TEST_F(PostTrainingTest, PermutationAloneDoesNotChangeTheNetwork) {
  const double before = engine.evaluate(heldout).loss;
  const auto found = run(sparse_int8(), {.obs = false, .retune = false});
  ASSERT_FALSE(found.permutations.empty());
  for (const auto& g : found.permutations) EXPECT_GT(g.permutation.kept_after, g.permutation.kept_before);
  EXPECT_NE(engine.layer_parameters(1).weight, start[1].weight);
  engine.set_quantisers(std::vector<Quantiser>(network.layers.size()));
  EXPECT_NEAR(engine.evaluate(heldout).loss, before, 1e-5);
}

/// Means and products of a 3x3 window with padding, by hand from the codes that the layer reads.
TEST_F(PostTrainingTest, MomentsAreThoseOfTheRoundedWindows) {
  const int layer = 1, size = 8, channels = 16, images = 3;
  const Dataset few = slice(train_set, 0, images);
  LayerwisePass pass(engine, few);
  pass.advance();
  pass.set_quantiser(integer_quantiser(4, 4));
  const LayerMoments moments = pass.input_moments();
  ASSERT_EQ(moments.columns, 9 * channels);
  const std::vector<float> codes = engine.input_codes(few)[layer];
  engine.set_quantisers(std::vector<Quantiser>(network.layers.size()));
  const auto at = [&](int n, int y, int x, int k) {
    const int r = k / (3 * channels), s = k / channels % 3, iy = y + r - 1, ix = x + s - 1;
    if (iy < 0 || ix < 0 || iy >= size || ix >= size) return 0.0;
    return double(codes[std::size_t(((n * size + iy) * size + ix) * channels + k % channels)]);
  };
  double ratio = 0;  // step^2, from the first element that is not zero
  for (const auto& [a, b] : {std::pair{0, 0}, {5, 90}, {143, 2}, {70, 71}, {16, 140}}) {
    double product = 0, mean = 0;
    for (int n = 0; n < images; ++n)
      for (int y = 0; y < size; ++y)
        for (int x = 0; x < size; ++x) product += at(n, y, x, a) * at(n, y, x, b), mean += at(n, y, x, a);
    product /= images * size * size;
    mean /= images * size * size;
    const double found = double(moments.gram[std::size_t(a * moments.columns + b)]);
    if (ratio == 0 && product > 0) ratio = found / product;
    EXPECT_NEAR(found, ratio * product, 1e-4 * found + 1e-7) << a << ", " << b;
    EXPECT_NEAR(double(moments.mean[std::size_t(a)]), std::sqrt(ratio) * mean, 1e-3 * mean + 1e-6);
  }
}

TEST_F(PostTrainingTest, RetunedStatisticsAreThoseOfTheCalibrationImages) {
  LayerwisePass pass(engine, calibration);
  pass.retune_batch_norm();
  const LayerMoments moments = pass.input_moments();  // of the stem, at full precision
  const LayerParameters stem = engine.layer_parameters(0);
  for (std::size_t c = 0; c < 16; ++c) {
    double mean = 0, square = 0;
    for (std::size_t i = 0; i < 9; ++i) {
      mean += double(stem.weight[c * 9 + i]) * double(moments.mean[i]);
      for (std::size_t j = 0; j < 9; ++j)
        square +=
            double(stem.weight[c * 9 + i]) * double(moments.gram[i * 9 + j]) * double(stem.weight[c * 9 + j]);
    }
    EXPECT_NEAR(double(stem.mean[c]), mean, 1e-4);
    EXPECT_NEAR(double(stem.variance[c]), square - mean * mean, 1e-4);
  }
}

TEST_F(PostTrainingTest, CodesAreTheCompressedWeights) {
  for (const Option option : {Option::int8_sparse, Option::int4_sparse, Option::int4}) {
    restore();
    const auto options = uniform_options(network, option, Option::int8);
    const auto found = run(options, {});
    EXPECT_EQ(found.layers.size(), network.layers.size());
    for (const auto& l : found.layers) EXPECT_LE(l.final, l.plain * 1.02 + 1e-9) << l.name;
    for (std::size_t i = 0; i < network.layers.size(); ++i) {
      const LayerExport exported = engine.export_layer(int(i));
      const LayerParameters p = engine.layer_parameters(int(i));
      const std::size_t k = p.weight.size() / p.weight_step.size();
      for (std::size_t j = 0; j < p.weight.size(); ++j)
        ASSERT_EQ(float(exported.codes[j]) * p.weight_step[j / k], p.weight[j]) << network.layers[i].name;
      if (!info(options[i]).sparse) continue;
      const std::size_t unit = option == Option::int4_sparse ? 2 : 1;
      for (std::size_t first = 0; first < p.weight.size(); first += 4 * unit) {
        int kept = 0;
        for (std::size_t u = 0; u < 4 * unit; u += unit)
          kept += p.weight[first + u] != 0 || p.weight[first + u + unit - 1] != 0;
        ASSERT_LE(kept, 2);
      }
    }
  }
}

/// On a network that keeps nearly all of its accuracy by compensation, magnitude pruning loses more.
TEST_F(PostTrainingTest, CompensationKeepsTheAccuracy) {
  const ScratchFolder folder;
  engine.train({.epochs = 2, .batch = 32, .peak_rate = 0.1, .flip = false, .shift = 0}, train_set, heldout,
               folder.file("a.ckpt"), {{"network", "test"}}, "test");
  start = parameters();
  const Score full = engine.evaluate(heldout);
  const auto options = uniform_options(network, Option::int4_sparse, Option::int8);
  run(options, {.permutation = false, .obs = false, .retune = false});
  const Score plain = engine.evaluate(heldout);
  restore();
  run(options, {});
  const Score compressed = engine.evaluate(heldout);
  EXPECT_LT(compressed.loss, plain.loss);
  EXPECT_GT(compressed.accuracy(), full.accuracy() - 0.03);
}

/// The first layer's window of a colour image holds its three channels.
TEST_F(PostTrainingTest, ColourImages) {
  const Network colour = resnet_small(1, 16, 1, 8, 10, 3);
  const Dataset images = synthetic_images(64, 3, 3);
  Engine coloured(model_spec(colour), 7);
  coloured.retune_batch_norm(images);
  const double before = coloured.evaluate(images).loss;
  const auto options = uniform_options(colour, Option::int8_sparse, Option::int8);
  const auto found = post_training(coloured, colour, options, images);
  ASSERT_FALSE(found.layers.empty());
  EXPECT_LT(found.layers[0].final, found.layers[0].plain + 1e-12);
  EXPECT_NEAR(coloured.evaluate(images).loss, before, 0.5);
}

TEST_F(PostTrainingTest, TheSameImagesGiveTheSameWeights) {
  run(sparse_int8(), {});
  const auto first = engine.state();
  restore();
  run(sparse_int8(), {});
  EXPECT_EQ(engine.state(), first);
}

TEST_F(PostTrainingTest, InterruptionAndErrorsGiveTheWeightsBack) {
  {
    const InterruptGuard guard;
    raise(SIGINT);
    EXPECT_THROW(run(sparse_int8(), {}), Interrupted);
    EXPECT_THROW(run(sparse_int8(), {.permutation = false}), Interrupted);
  }
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    EXPECT_EQ(engine.layer_parameters(int(i)).weight, start[i].weight) << i;
    EXPECT_EQ(engine.layer_parameters(int(i)).mean, start[i].mean) << i;
  }
  auto options = sparse_int8();
  options[0] = Option::int8_sparse;
  try {
    run(options, {});
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), testing::AllOf(testing::HasSubstr("stem"), testing::HasSubstr("int8-2:4")));
  }
}

}  // namespace
}  // namespace twofour::nas
