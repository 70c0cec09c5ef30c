#include "twofour/nas/train/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "synthetic_images.h"
#include "twofour/isa/error.h"
#include "twofour/nas/timing/layer_latency.h"
#include "twofour/nas/train/deployment_check.h"

namespace twofour::nas {
namespace {

const Dataset train_set = synthetic_images(640, 1), heldout = synthetic_images(400, 2);

Recipe recipe() {
  return {.dense = {.epochs = 2, .batch = 32, .peak_rate = 0.1, .flip = false, .shift = 0},
          .fine_tune = {.epochs = 1, .batch = 32, .peak_rate = 0.01, .flip = false, .shift = 0},
          .calibration_images = 100};
}

struct TrainerTest : testing::Test {
  ScratchFolder folder;
  Network network = resnet_small(1, 16, 1, 8);

  Trainer trainer() const { return Trainer(network, recipe(), train_set, heldout, folder.path.string()); }
  /// Every option somewhere.
  std::vector<Option> mixed() const {
    return {Option::int8, Option::int8, Option::int8_sparse, Option::int4_sparse, Option::int8_sparse,
            Option::int4, Option::fp16, Option::int1,        Option::fp16_sparse, Option::int8};
  }
  /// Bit planes of several widths in the middle.
  std::vector<Option> planes() const {
    const auto w = arbitrary_precision;
    return {Option::int8, w(2, 3), w(3, 2), w(1, 4), w(4, 4),
            w(8, 8),      w(5, 1), w(2, 8), w(6, 7), Option::int8};
  }
};

/// Exported integers give the codes of the fake-quantised network, layer by layer, but for values so near to
/// a half code that single precision and 16 fraction bits fall on different sides.
TEST_F(TrainerTest, ExportAgreesWithFakeQuantisation) {
  for (const auto& options :
       {uniform_options(network, Option::int8_sparse, Option::int8),
        uniform_options(network, Option::int4_sparse, Option::int8), mixed(), planes()}) {
    Trainer t = trainer();
    t.train();
    t.fine_tune(options);
    const DeployedNetwork deployed = t.export_network();
    const auto results = run_emulated(deployed, stream_words(heldout), heldout.count);
    const auto codes = t.engine().input_codes(heldout);
    for (std::size_t i = 1; i + 1 < network.layers.size();
         ++i) {  // layer 0 reads the image, the last one a pool
      const auto& words = results[std::size_t(network.layers[i].input - 1)].output;
      ASSERT_TRUE(codes[i].empty() || codes[i].size() == words.size());
      const std::int64_t levels = activation_levels(options[i]);
      std::size_t differing = 0;
      for (std::size_t j = 0; j < codes[i].size(); ++j) {
        const auto code = std::clamp<std::int64_t>(deployed.layers[i].input_scale.apply(words[j]), 0, levels);
        differing += code != std::int64_t(codes[i][j]);
      }
      const double tolerance =
          i == 1 ? 0.001 : 0.05;  // a code that differs moves those of the layers after it
      EXPECT_LE(double(differing), tolerance * double(words.size())) << network.layers[i].name;
    }
    EXPECT_NEAR(count_correct(results.back().output, heldout), t.evaluate(heldout).correct, 3);
    EXPECT_GT(t.evaluate(heldout).accuracy(), 0.8);
    const auto words = stream_words(slice(heldout, 0, 50));
    EXPECT_EQ(compare(run_emulated(deployed, words, 50), run_reference(deployed, words, 50)).differing, 0);
  }
}

TEST_F(TrainerTest, DeployedNetworkEqualsTheReference) {
  Trainer t = trainer();
  t.train();
  t.fine_tune(mixed());
  const OutputCheck check = check_deployment(t.export_network(), slice(heldout, 0, 200),
                                             folder.file("check.json"), t.fingerprint());
  std::int64_t outputs = 0;
  for (const Layer& l : network.layers)
    outputs += 200 * l.shape.out_height() * l.shape.out_width() * l.shape.out_channels;
  EXPECT_EQ(check.compared, 2 * outputs);  // accumulators and stream words
  EXPECT_EQ(check.differing, 0);
}

TEST_F(TrainerTest, FinishedStagesAreNotRepeated) {
  Trainer first = trainer();
  const auto trained = first.train();
  first.fine_tune(mixed());
  const auto state = first.engine().state();
  const auto time = [&] { return std::filesystem::last_write_time(folder.file("dense.ckpt")); };
  const auto before = time();
  Trainer second = trainer();
  EXPECT_EQ(second.train().size(), trained.size());
  second.fine_tune(mixed());
  EXPECT_EQ(second.engine().state(), state);
  EXPECT_EQ(time(), before);
}

/// Another checkpoint for each way of fine-tuning, and other weights.
/// Of given weights nothing is trained where the plan has no epochs, batch normalisation included; they are
/// fine-tuned as any other.
TEST_F(TrainerTest, GivenWeightsStayAsTheyAre) {
  Engine given(model_spec(network), 5);
  Recipe none = recipe();
  none.dense.epochs = 0;
  Trainer t(network, none, train_set, heldout, folder.path.string(), {&given, "given"});
  EXPECT_TRUE(t.train().empty());
  EXPECT_EQ(t.engine().state(), given.state());
  EXPECT_EQ(t.fine_tune(mixed()).size(), 1u);
  EXPECT_NE(t.engine().state(), given.state());
  EXPECT_TRUE(t.train().empty());
  EXPECT_EQ(t.engine().state(), given.state());
}

TEST_F(TrainerTest, FineTuningWithATeacherAndOtherRules) {
  Recipe plain = recipe(), distilled = recipe(), masked = recipe(), fixed_steps = recipe();
  plain.distil = false, distilled.distil = true;
  masked.distil = fixed_steps.distil = false;
  masked.fine_tune.masks = MaskRule::fixed;
  fixed_steps.steps = StepRule::least_square;
  std::vector<std::vector<float>> states;
  for (const Recipe& r : {plain, distilled, masked, fixed_steps}) {
    Trainer t(network, r, train_set, heldout, folder.path.string());
    t.train();
    t.fine_tune(mixed());
    for (const auto& state : states) EXPECT_NE(state, t.engine().state());
    states.push_back(t.engine().state());
    EXPECT_GT(t.evaluate(heldout).accuracy(), 0.8);
  }
}

TEST_F(TrainerTest, AnotherNetworkInTheSameFolderIsRefused) {
  trainer().train();
  Trainer other(resnet_small(2, 16, 1, 8), recipe(), train_set, heldout, folder.path.string());
  try {
    other.train();
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(),
                testing::AllOf(testing::HasSubstr("dense.ckpt"), testing::HasSubstr("resnet14-w16")));
  }
}

/// A batch normalisation with a negative gain: the sign goes into the codes.
TEST(DeployLayer, NegativeGainIsMovedIntoTheWeights) {
  Layer layer;
  layer.shape = {.in_channels = 2, .out_channels = 2};
  const LayerExport in{
      integer_quantiser(8, 8), {5, -127, 7, 0}, {}, {0.01, 0.02}, 0.5, {-2, 4}, {1.5, -0.25}};
  const DeployedLayer out = deploy_layer(layer, Option::int8, in);
  EXPECT_EQ(out.weights.integer(0, 0), -5);
  EXPECT_EQ(out.weights.integer(0, 1), 127);
  EXPECT_EQ(out.weights.integer(1, 0), 7);
  EXPECT_EQ(out.bias, (std::vector<std::int32_t>{98304, -16384}));
  EXPECT_EQ(out.output_scale[0].apply(100), 65536);  // 100 * 0.01 * 0.5 * 2 = 1
  EXPECT_EQ(out.output_scale[1].apply(100), 4 * 65536);
  EXPECT_EQ(out.input_scale.apply(65536), 2);
}

/// The stem's codes are the pixels themselves.
TEST(StreamWords, PixelsSurviveInputQuantisation) {
  Dataset data{1, 16, 16, 10, {}, {0}};
  for (int p = 0; p < 256; ++p) data.pixels.push_back(static_cast<std::uint8_t>(p));
  const FixedScale scale = FixedScale::of(255.0 / 65536);
  const auto words = stream_words(data);
  for (int p = 0; p < 256; ++p) EXPECT_EQ(scale.apply(words[std::size_t(p)]), p);
}

}  // namespace
}  // namespace twofour::nas
