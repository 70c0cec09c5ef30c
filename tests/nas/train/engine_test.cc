#include "twofour/nas/train/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <csignal>
#include <fstream>

#include "synthetic_images.h"
#include "twofour/isa/error.h"
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

template <class F>
std::string error_of(const F& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
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
              AllOf(HasSubstr(checkpoint), HasSubstr("checkpoint: network=test; this run: network=another"),
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
}

TEST_F(EngineTest, IntegersNeedCalibration) {
  Engine engine(small_network(), 1);
  const std::vector<Quantiser> all(small_network().layers.size(), integer_quantiser(8, 8));
  EXPECT_THAT(error_of([&] { engine.set_quantisers(all); }), HasSubstr("calibrated"));
}

/// One layer alone at full precision again is the network itself; a network whose every layer is one bit is
/// far off.
TEST_F(EngineTest, SensitivityIsTheLossOfOneChangedLayer) {
  Engine engine(small_network(), 1);
  engine.train(plan(2), train_set, heldout, checkpoint, fingerprint, "test");
  engine.calibrate(slice(train_set, 0, 100));
  const std::size_t layers = small_network().layers.size();
  const std::vector<Quantiser> options{Quantiser{}, integer_quantiser(8, 8), integer_quantiser(1, 1)};
  const auto found = engine.sensitivity(heldout, std::vector<std::vector<Quantiser>>(layers, options));
  for (std::size_t i = 0; i < layers; ++i) {
    EXPECT_DOUBLE_EQ(found.score[i][0].loss, found.full.loss);
    std::vector<Quantiser> one(layers, Quantiser{});
    for (std::size_t o = 1; o < options.size(); ++o) {
      one[i] = options[o];
      engine.set_quantisers(one);
      EXPECT_NEAR(engine.evaluate(heldout).loss, found.score[i][o].loss, 1e-9) << i << ", " << o;
    }
    EXPECT_LT(std::abs(found.score[i][1].loss - found.full.loss),
              std::abs(found.score[i][2].loss - found.full.loss))
        << i;
  }
}

}  // namespace
}  // namespace twofour::nas
