#include "twofour/nas/train/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <csignal>
#include <fstream>

#include "error_of.h"
#include "synthetic_images.h"
#include "twofour/nas/train/interrupt.h"
#include "twofour/nas/train/trainer.h"

namespace twofour::nas {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const Dataset train_set = synthetic_images(640, 1), heldout = synthetic_images(200, 2);
const Fingerprint fingerprint{{"network", "test"}, {"seed", "1"}};

ModelSpec small_network() {
  return model_spec(resnet_small(1, 16, 1, 8));
}

TrainPlan plan(int epochs) {
  return {.epochs = epochs, .batch = 32, .peak_rate = 0.1, .flip = false, .shift = 0};
}

struct EngineTest : testing::Test {
  ScratchFolder folder;
  const std::string checkpoint = folder.file("a.ckpt");
};

TEST_F(EngineTest, LearnsFourQuadrants) {
  Engine engine(small_network(), 1);
  const auto history = engine.train(plan(2), train_set, heldout, checkpoint, fingerprint, "test");
  ASSERT_EQ(history.size(), 2u);
  EXPECT_LT(history[1].loss, history[0].loss);
  EXPECT_GT(history[1].heldout_accuracy, 0.9);
}

/// A signal stops after one batch. Twenty-two broken-off runs, over an epoch's end, each gone on with by a
/// fresh engine of another seed, and the rest: the bits of an unbroken run.
TEST_F(EngineTest, BrokenOffRunGoesOnToTheSameBits) {
  Engine whole(small_network(), 1);
  const auto expected =
      whole.train(plan(3), train_set, heldout, folder.file("whole.ckpt"), fingerprint, "test");
  for (int i = 0; i < 22; ++i) {
    Engine engine(small_network(), i == 0 ? 1 : 77);
    const InterruptGuard guard;
    raise(SIGINT);
    EXPECT_THROW(engine.train(plan(3), train_set, heldout, checkpoint, fingerprint, "test"), Interrupted);
  }
  Engine engine(small_network(), 77);
  const auto history = engine.train(plan(3), train_set, heldout, checkpoint, fingerprint, "test");
  EXPECT_EQ(engine.state(), whole.state());
  ASSERT_EQ(history.size(), expected.size());
  for (std::size_t i = 0; i < history.size(); ++i) EXPECT_EQ(history[i].loss, expected[i].loss);
}

TEST_F(EngineTest, InterruptionSaysWhereAndHowToGoOn) {
  Engine engine(small_network(), 1);
  const InterruptGuard guard;
  raise(SIGTERM);
  EXPECT_THAT(error_of([&] { engine.train(plan(1), train_set, heldout, checkpoint, fingerprint, "test"); }),
              AllOf(HasSubstr("epoch 1, batch 1 of 20"), HasSubstr(checkpoint),
                    HasSubstr("run the same command again")));
  EXPECT_TRUE(std::filesystem::exists(checkpoint));
  EXPECT_FALSE(std::filesystem::exists(checkpoint + ".new"));
}

TEST_F(EngineTest, CheckpointOfAnotherRunIsRefused) {
  Engine engine(small_network(), 1);
  engine.train(plan(1), train_set, heldout, checkpoint, fingerprint, "test");
  const auto before = engine.state();
  const Fingerprint other{{"network", "another"}, {"seed", "1"}};
  EXPECT_THAT(error_of([&] { engine.train(plan(1), train_set, heldout, checkpoint, other, "test"); }),
              AllOf(HasSubstr(checkpoint), HasSubstr("network: checkpoint: test; this run: another"),
                    testing::Not(HasSubstr("seed"))));
  EXPECT_EQ(engine.state(), before);
}

TEST_F(EngineTest, CheckpointOfAnotherShapeIsRefused) {
  Engine(small_network(), 1).train(plan(1), train_set, heldout, checkpoint, fingerprint, "test");
  Engine wide(model_spec(resnet_small(1, 32, 1, 8)), 1);
  EXPECT_THAT(error_of([&] { wide.load_weights(checkpoint, fingerprint); }), HasSubstr("another shape"));
}

TEST_F(EngineTest, DamagedCheckpointIsRefused) {
  Engine engine(small_network(), 1);
  engine.train(plan(1), train_set, heldout, checkpoint, fingerprint, "test");
  std::filesystem::resize_file(checkpoint, std::filesystem::file_size(checkpoint) / 2);
  EXPECT_THAT(error_of([&] { engine.load_weights(checkpoint, fingerprint); }),
              AllOf(HasSubstr(checkpoint), HasSubstr("damaged")));
  std::ofstream(checkpoint) << "text";
  EXPECT_THAT(error_of([&] { engine.load_weights(checkpoint, fingerprint); }),
              AllOf(HasSubstr(checkpoint), HasSubstr("damaged")));
}

TEST_F(EngineTest, DivergenceKeepsTheLastGoodCheckpoint) {
  Engine engine(small_network(), 1);
  {
    const InterruptGuard guard;
    raise(SIGINT);
    EXPECT_THROW(engine.train(plan(2), train_set, heldout, checkpoint, fingerprint, "test"), Interrupted);
  }
  const auto good = engine.state();
  TrainPlan wild = plan(2);
  wild.peak_rate = 1e30;
  EXPECT_THAT(error_of([&] { engine.train(wild, train_set, heldout, checkpoint, fingerprint, "test"); }),
              AllOf(HasSubstr("diverged"), HasSubstr(checkpoint), HasSubstr("learning rate")));
  engine.load_weights(checkpoint, fingerprint);
  EXPECT_EQ(engine.state(), good);
}

TEST_F(EngineTest, ImagesOfAnotherSizeAreRefused) {
  Engine engine(model_spec(resnet_small(1, 16, 1, 28)), 1);
  EXPECT_THAT(error_of([&] { engine.evaluate(heldout); }), AllOf(HasSubstr("28x28"), HasSubstr("8x8")));
  Engine grey(small_network(), 1);
  EXPECT_THAT(error_of([&] { grey.evaluate(synthetic_images(2, 1, 3)); }),
              AllOf(HasSubstr("with 1 channels"), HasSubstr("with 3")));
}

TEST_F(EngineTest, WeightsOfAnotherRunAreTaken) {
  Engine first(small_network(), 1), second(small_network(), 2);
  first.train(plan(1), train_set, heldout, checkpoint, {{"another", "run"}}, "test");
  EXPECT_NE(first.state(), second.state());
  second.import_checkpoint(checkpoint);
  EXPECT_EQ(first.state(), second.state());  // steps are still at their start in both
  EXPECT_EQ(first.evaluate(heldout).loss, second.evaluate(heldout).loss);
}

TEST_F(EngineTest, WeightsOfAnotherNetworkAreRefused) {
  Engine(small_network(), 1).train(plan(1), train_set, heldout, checkpoint, fingerprint, "test");
  Engine wide(model_spec(resnet_small(1, 32, 1, 8)), 1), deep(model_spec(resnet_small(2, 16, 1, 8)), 1);
  const auto before = wide.state();
  EXPECT_THAT(
      error_of([&] { wide.import_checkpoint(checkpoint); }),
      AllOf(HasSubstr(checkpoint), HasSubstr("stem/weight is 16 x 1 x 3 x 3 there and 32 x 1 x 3 x 3"),
            HasSubstr("resnet8-w32")));
  EXPECT_EQ(wide.state(), before);
  EXPECT_THAT(error_of([&] { deep.import_checkpoint(checkpoint); }),
              HasSubstr("no tensor stage1.block2.conv1/weight"));
  EXPECT_THAT(error_of([&] { deep.import_checkpoint(folder.file("none")); }), HasSubstr("not found"));
  std::ofstream(checkpoint) << "text";
  EXPECT_THAT(error_of([&] { deep.import_checkpoint(checkpoint); }), HasSubstr("damaged"));
}

TEST_F(EngineTest, IntegersNeedCalibration) {
  Engine engine(small_network(), 1);
  const std::vector<Quantiser> all(small_network().layers.size(), integer_quantiser(8, 8));
  EXPECT_THAT(error_of([&] { engine.set_quantisers(all); }), HasSubstr("calibrated"));
}

/// Steps are those of the weights as they stand, and stay only where that was asked for.
TEST_F(EngineTest, StepsFollowTheWeights) {
  Engine engine(small_network(), 1);
  engine.calibrate(slice(train_set, 0, 100));
  const std::vector<Quantiser> all(small_network().layers.size(), integer_quantiser(8, 8));
  const auto steps_of_doubled_weights = [&] {
    engine.set_quantisers(all);
    LayerParameters doubled = engine.layer_parameters(1);
    for (float& w : doubled.weight) w *= 2;
    engine.set_layer_parameters(1, {doubled.weight, {}, {}, {}, {}});
    const float before = doubled.weight_step[0];
    engine.set_quantisers(all);
    return engine.layer_parameters(1).weight_step[0] / before;
  };
  EXPECT_EQ(steps_of_doubled_weights(), 2);
  engine.keep_steps();
  EXPECT_EQ(steps_of_doubled_weights(), 1);
}

/// A part's scores are those of a network that has only its weights: here of the whole with the rest set to
/// zero.
TEST_F(EngineTest, PartsAreTheFirstChannelsAndTheCentre) {
  const auto one_layer = [](int channels, int kernel) {
    ModelSpec s = small_network();
    s.layers = {{"a", 1, channels, kernel, 1, kernel / 2, 0, -1, Activation::relu, {}},
                {"b", channels, 10, 1, 1, 0, 1, -1, Activation::none, {PoolKind::global_average}}};
    return s;
  };
  Engine large(one_layer(16, 5), 1);
  const auto part = large.part(one_layer(8, 3));
  LayerParameters a = large.layer_parameters(0), b = large.layer_parameters(1);
  for (int o = 0; o < 16; ++o)
    for (int r = 0; r < 5; ++r)
      for (int c = 0; c < 5; ++c)
        if (r % 4 == 0 || c % 4 == 0) a.weight[std::size_t(o * 25 + r * 5 + c)] = 0;
  for (std::size_t i = 0; i < b.weight.size(); ++i)
    if (i % 16 >= 8) b.weight[i] = 0;
  large.set_layer_parameters(0, a);
  large.set_layer_parameters(1, b);
  EXPECT_NEAR(part->evaluate(heldout).loss, large.evaluate(heldout).loss, 1e-5);
}

TEST_F(EngineTest, PartsOfAnotherShapeAreRefused) {
  const Engine engine(small_network(), 1);
  EXPECT_THAT(error_of([&] { engine.part(model_spec(resnet_small(1, 32, 1, 8))); }),
              AllOf(HasSubstr("layer stem"), HasSubstr("no part")));
  EXPECT_THAT(error_of([&] { engine.part(model_spec(resnet_small(2, 16, 1, 8))); }),
              HasSubstr("has 10 layers, not 16"));
}

/// Steps that train a part change its weights in the whole and no others.
TEST_F(EngineTest, SharedTrainingChangesThePart) {
  Engine engine(small_network(), 1);
  const auto before = engine.layer_parameters(1).weight;
  TrainPlan one = plan(1);
  one.weight_decay = 0;
  const ModelSpec half = model_spec(resnet_small(1, 8, 1, 8));
  engine.train_shared(
      one, train_set, [] { return Score{}; }, checkpoint, fingerprint, "test",
      [&](std::int64_t) { return half; });
  const auto after = engine.layer_parameters(1).weight;  // 16 x 3 x 3 x 16
  int changed = 0;
  for (std::size_t i = 0; i < after.size(); ++i) {
    const bool inside = i / 144 < 8 && i % 16 < 8;
    if (!inside) {
      EXPECT_EQ(after[i], before[i]) << i;
    }
    changed += after[i] != before[i];
  }
  EXPECT_GT(changed, 500);
}

}  // namespace
}  // namespace twofour::nas
