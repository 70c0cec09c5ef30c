// Engine::train with masks, step rules and teachers, and the re-tuning of batch normalisation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <csignal>

#include "error_of.h"
#include "synthetic_images.h"
#include "twofour/nas/train/interrupt.h"
#include "twofour/nas/train/trainer.h"

namespace twofour::nas {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const Dataset train_set = synthetic_images(160, 1), heldout = synthetic_images(200, 2);
const Fingerprint fingerprint{{"network", "test"}};

/// A stem, one 3x3 layer, and a classifier behind a pool.
ModelSpec small_network(int image = 8, int classes = 10) {
  return {"small",
          image,
          image,
          {{"stem", 1, 16, 3, 1, 1, 0, -1, Activation::relu, {}},
           {"middle", 16, 16, 3, 2, 1, 1, -1, Activation::relu, {}},
           {"classifier", 16, classes, 1, 1, 0, 2, -1, Activation::none, {PoolKind::global_average}}}};
}

TrainPlan plan(Distillation distillation = Distillation::none, MaskRule masks = MaskRule::sr_ste) {
  return {.epochs = 2,
          .batch = 32,
          .peak_rate = 0.1,
          .flip = false,
          .shift = 0,
          .masks = masks,
          .distillation = distillation};
}

/// 8-bit stem and classifier.
std::vector<Quantiser> sparse_layers(Quantiser inner) {
  std::vector<Quantiser> all(small_network().layers.size(), inner);
  all.front() = all.back() = integer_quantiser(8, 8);
  return all;
}

std::unique_ptr<Engine> compressed(std::uint64_t seed, Quantiser inner = integer_quantiser(4, 4, true)) {
  auto engine = std::make_unique<Engine>(small_network(), seed, 1);
  engine->calibrate(slice(train_set, 0, 64));
  engine->set_quantisers(sparse_layers(inner));
  return engine;
}

struct TrainingMethods : testing::Test {
  ScratchFolder folder;
  const std::string checkpoint = folder.file("a.ckpt"), other = folder.file("b.ckpt");

  std::vector<EpochRecord> train(Engine& engine, const TrainPlan& p, const std::string& file,
                                 Engine* teacher = nullptr) {
    return engine.train(p, train_set, heldout, file, fingerprint, "test", teacher);
  }
  /// Breaks off after every batch and goes on with a fresh engine of another seed (and a fresh teacher, by
  /// `make_teacher`), until it is done; the bits must be those of an unbroken run.
  void expect_same_bits(const TrainPlan& p, const std::function<std::unique_ptr<Engine>()>& make_teacher) {
    const auto whole = compressed(1), teacher = make_teacher();
    train(*whole, p, checkpoint, teacher.get());
    for (int i = 0; i < 7; ++i) {
      const auto part = compressed(i == 0 ? 1 : 77), its_teacher = make_teacher();
      const InterruptGuard guard;
      raise(SIGINT);
      EXPECT_THROW(train(*part, p, other, its_teacher.get()), Interrupted);
    }
    const auto rest = compressed(77), its_teacher = make_teacher();
    train(*rest, p, other, its_teacher.get());
    EXPECT_EQ(rest->state(), whole->state());
    if (teacher) {
      EXPECT_EQ(its_teacher->state(), teacher->state());
    }
  }
};

std::unique_ptr<Engine> no_teacher() {
  return nullptr;
}
std::unique_ptr<Engine> some_teacher() {
  return std::make_unique<Engine>(small_network(), 5, 1);
}

TEST_F(TrainingMethods, FixedMasksGoOnToTheSameBits) {
  expect_same_bits(plan(Distillation::none, MaskRule::fixed), no_teacher);
}
TEST_F(TrainingMethods, AnnealedMasksGoOnToTheSameBits) {
  expect_same_bits(plan(Distillation::none, MaskRule::annealed), no_teacher);
}
TEST_F(TrainingMethods, JointTeacherGoesOnToTheSameBits) {
  expect_same_bits(plan(Distillation::joint), some_teacher);
}
TEST_F(TrainingMethods, FixedTeacherGoesOnToTheSameBits) {
  expect_same_bits(plan(Distillation::fixed), some_teacher);
}

/// By layer and weight: is its code zero?
std::vector<std::vector<bool>> zeros(Engine& engine) {
  std::vector<std::vector<bool>> all;
  for (std::size_t i = 0; i < small_network().layers.size(); ++i) {
    all.emplace_back();
    for (std::uint16_t half : engine.export_layer(int(i)).halves) all.back().push_back((half & 0x7fff) == 0);
  }
  return all;
}

/// Halves, so that no kept weight rounds to zero.
TEST_F(TrainingMethods, FixedMasksAreThoseOfTheFirstWeights) {
  const auto engine = compressed(1, {Precision::f16, true});
  const auto before = zeros(*engine);
  TrainPlan p = plan(Distillation::none, MaskRule::fixed);
  p.peak_rate = 0.3;
  train(*engine, p, checkpoint);
  EXPECT_EQ(zeros(*engine), before);
  const auto follows = compressed(1, {Precision::f16, true});
  p.masks = MaskRule::sr_ste;
  train(*follows, p, other);
  EXPECT_NE(zeros(*follows), before);
}

/// The three rules give different weights from the same start; afterwards the engine is free of the masks.
TEST_F(TrainingMethods, MaskRulesDiffer) {
  std::vector<std::vector<float>> states;
  for (MaskRule rule : {MaskRule::sr_ste, MaskRule::fixed, MaskRule::annealed}) {
    const auto engine = compressed(1);
    train(*engine, plan(Distillation::none, rule), folder.file(std::to_string(int(rule))));
    states.push_back(engine->state());
    EXPECT_EQ(states.back().size(), states.front().size());
  }
  EXPECT_NE(states[0], states[1]);
  EXPECT_NE(states[0], states[2]);
  EXPECT_NE(states[1], states[2]);
}

TEST_F(TrainingMethods, OnlyLearnedStepsAreTrained) {
  for (StepRule rule : {StepRule::learned, StepRule::least_square, StepRule::wrpn}) {
    Quantiser q = integer_quantiser(3, 5);
    q.steps = rule;
    const auto engine = compressed(1, q);
    const LayerExport before = engine->export_layer(1);
    train(*engine, plan(), folder.file(std::to_string(int(rule))));
    const LayerExport after = engine->export_layer(1);
    EXPECT_EQ(before.input_step != after.input_step, rule == StepRule::learned);
    EXPECT_EQ(before.weight_step != after.weight_step, rule == StepRule::learned);
    if (rule == StepRule::wrpn) {
      EXPECT_FLOAT_EQ(float(after.input_step), 1.0f / 31);
      EXPECT_FLOAT_EQ(float(after.weight_step[3]), 1.0f / 3);
    }
  }
}

TEST_F(TrainingMethods, EveryBitWidthTrains) {
  for (int bits = 1; bits <= 8; ++bits) {
    const auto engine = compressed(1, integer_quantiser(bits, 9 - bits));
    const auto history = train(*engine, plan(), folder.file(std::to_string(bits)));
    for (std::int8_t code : engine->export_layer(1).codes)
      ASSERT_LE(std::abs(int(code)), bits == 1 ? 1 : (1 << (bits - 1)) - 1);
    EXPECT_LT(history[1].loss, history[0].loss) << bits;
  }
}

TEST_F(TrainingMethods, BitsOutOfRangeAreRefused) {
  const auto engine = compressed(1);
  EXPECT_THAT(error_of([&] { engine->set_quantisers(sparse_layers(integer_quantiser(9, 8))); }),
              AllOf(HasSubstr("middle"), HasSubstr("9 bits"), HasSubstr("1 to 8")));
  EXPECT_NE(error_of([&] { engine->set_quantisers(sparse_layers(integer_quantiser(8, 0))); }), "");
}

TEST_F(TrainingMethods, JointTeacherLearnsAndAFixedOneStays) {
  for (Distillation d : {Distillation::joint, Distillation::fixed}) {
    const auto engine = compressed(1), teacher = some_teacher();
    const auto before = teacher->state();
    TrainPlan p = plan(d);
    p.epochs = 8;
    train(*engine, p, folder.file(std::to_string(int(d))), teacher.get());
    EXPECT_EQ(teacher->state() == before, d == Distillation::fixed);
    if (d == Distillation::joint) {
      EXPECT_GT(teacher->evaluate(heldout).accuracy(), 0.8);
    }
  }
}

/// All labels say 9, so that whatever the student knows is the teacher's. Who gives half the probability to 9
/// and the rest to the four classes alike has a loss of log 8 = 2.08.
TEST_F(TrainingMethods, StudentLearnsWhatTheTeacherKnows) {
  Engine teacher(small_network(), 5, 1);
  TrainPlan longer = plan();
  longer.epochs = 16;
  train(teacher, longer, folder.file("teacher.ckpt"));
  ASSERT_GT(teacher.evaluate(heldout).accuracy(), 0.9);
  Dataset blind = train_set;
  for (std::uint8_t& label : blind.labels) label = 9;
  const auto agreement = [&](Distillation d, Engine* t) {
    const auto engine = compressed(1, integer_quantiser(8, 8));
    TrainPlan p = longer;
    p.distillation = d;
    p.label_smoothing = 0;
    engine->train(p, blind, heldout, folder.file(std::to_string(int(d))), fingerprint, "test", t);
    return engine->evaluate(heldout).loss;
  };
  EXPECT_LT(agreement(Distillation::fixed, &teacher), 2.0);
  EXPECT_GT(agreement(Distillation::none, nullptr), 4.0);
}

TEST_F(TrainingMethods, AnotherTeacherIsRefused) {
  const auto engine = compressed(1), teacher = some_teacher();
  train(*engine, plan(Distillation::fixed), checkpoint, teacher.get());
  Engine another(small_network(), 6, 1);
  EXPECT_THAT(error_of([&] { train(*engine, plan(Distillation::fixed), checkpoint, &another); }),
              AllOf(HasSubstr("teacher: checkpoint: " + teacher->checksum()),
                    HasSubstr("this run: " + another.checksum())));
}

TEST_F(TrainingMethods, TeacherAndPlanMustAgree) {
  const auto engine = compressed(1), teacher = some_teacher();
  EXPECT_THAT(error_of([&] { train(*engine, plan(), checkpoint, teacher.get()); }),
              HasSubstr("no distillation"));
  EXPECT_THAT(error_of([&] { train(*engine, plan(Distillation::fixed), checkpoint); }),
              HasSubstr("no teacher"));
  EXPECT_THAT(error_of([&] { train(*engine, plan(Distillation::joint), checkpoint, engine.get()); }),
              HasSubstr("its own teacher"));
  Engine larger(small_network(28), 1, 1), fewer(small_network(8, 4), 1, 1);
  EXPECT_THAT(error_of([&] { train(*engine, plan(Distillation::fixed), checkpoint, &larger); }),
              HasSubstr("28x28"));
  EXPECT_THAT(error_of([&] { train(*engine, plan(Distillation::fixed), checkpoint, &fewer); }),
              HasSubstr("4 classes"));
}

TEST_F(TrainingMethods, DivergenceOfAJointRunKeepsTheLastGoodCheckpoint) {
  const auto engine = compressed(1), teacher = some_teacher();
  {
    const InterruptGuard guard;
    raise(SIGINT);
    EXPECT_THROW(train(*engine, plan(Distillation::joint), checkpoint, teacher.get()), Interrupted);
  }
  const auto good = engine->state();
  TrainPlan wild = plan(Distillation::joint);
  wild.peak_rate = 1e30;
  EXPECT_THAT(error_of([&] { train(*engine, wild, checkpoint, teacher.get()); }),
              AllOf(HasSubstr("diverged"), HasSubstr("teacher"), HasSubstr(checkpoint)));
  engine->load_weights(checkpoint, fingerprint);
  EXPECT_EQ(engine->state(), good);
}

TEST_F(TrainingMethods, DamagedTeacherIsRefused) {
  const auto engine = compressed(1), teacher = some_teacher();
  TrainPlan wild = plan();
  wild.peak_rate = 1e30;
  EXPECT_NE(error_of([&] { train(*teacher, wild, other); }), "");
  for (Distillation d : {Distillation::joint, Distillation::fixed})
    EXPECT_THAT(error_of([&] { train(*engine, plan(d), checkpoint, teacher.get()); }),
                AllOf(HasSubstr("teacher"), HasSubstr("not finite")));
  EXPECT_FALSE(std::filesystem::exists(checkpoint));
}

/// Mean and unbiased variance of the stem's outputs, channel by channel, from what deployment is told: a
/// direct convolution in doubles.
struct Statistics {
  std::vector<double> mean, variance;
};
Statistics stem_statistics(const LayerExport& stem, const Dataset& images, int first, int last) {
  const std::size_t channels = stem.weight_step.size();
  std::vector<double> sum(channels), squares(channels);
  for (int n = first; n < last; ++n)
    for (int y = 0; y < 8; ++y)
      for (int x = 0; x < 8; ++x)
        for (std::size_t c = 0; c < channels; ++c) {
          double value = 0;
          for (int r = 0; r < 3; ++r)
            for (int s = 0; s < 3; ++s) {
              const int iy = y + r - 1, ix = x + s - 1;
              if (iy < 0 || iy >= 8 || ix < 0 || ix >= 8) continue;
              value += stem.codes[c * 9 + std::size_t(r * 3 + s)] * stem.weight_step[c] *
                       images.image(n)[iy * 8 + ix] / 255.0;
            }
          sum[c] += value;
          squares[c] += value * value;
        }
  Statistics result;
  const double count = 64.0 * (last - first);
  for (std::size_t c = 0; c < channels; ++c) {
    const double mean = sum[c] / count;
    result.mean.push_back(mean);
    result.variance.push_back((squares[c] / count - mean * mean) * count / (count - 1));
  }
  return result;
}

/// 601 images: batches of 300 and 301.
TEST_F(TrainingMethods, RetunedStatisticsAreThoseOfTheImages) {
  const auto engine = compressed(1);
  const Dataset images = synthetic_images(601, 4);
  engine->retune_batch_norm(images);
  const LayerExport stem = engine->export_layer(0);
  const Statistics a = stem_statistics(stem, images, 0, 300), b = stem_statistics(stem, images, 300, 601);
  for (std::size_t c = 0; c < a.mean.size(); ++c) {
    const double mean = (300 * a.mean[c] + 301 * b.mean[c]) / 601,
                 variance = (300 * a.variance[c] + 301 * b.variance[c]) / 601;
    EXPECT_NEAR(stem.gain[c], 1 / std::sqrt(variance + 1e-5), 1e-4 * stem.gain[c]) << c;  // gamma 1, beta 0
    EXPECT_NEAR(stem.offset[c], -mean * stem.gain[c], 1e-4 + 1e-4 * std::abs(stem.offset[c])) << c;
  }
}

/// Nothing but the statistics changes, and they do not depend on those before.
TEST_F(TrainingMethods, RetuningIsRepeatable) {
  const auto engine = compressed(1);
  const auto before = engine->export_layer(1);
  engine->retune_batch_norm(train_set);
  const auto once = engine->state();
  const auto after = engine->export_layer(1);
  EXPECT_EQ(after.codes, before.codes);
  EXPECT_EQ(after.weight_step, before.weight_step);
  EXPECT_EQ(after.input_step, before.input_step);
  EXPECT_NE(after.gain, before.gain);
  engine->retune_batch_norm(train_set);
  EXPECT_EQ(engine->state(), once);
}

/// A run that a re-tuned engine goes on with ends as one that an engine goes on with which never did that.
TEST_F(TrainingMethods, RetuningLeavesTheMomentumOfTrainingAlone) {
  const auto engine = compressed(1), fresh = compressed(77);
  {
    const InterruptGuard guard;
    raise(SIGINT);
    EXPECT_THROW(train(*engine, plan(), checkpoint), Interrupted);
  }
  std::filesystem::copy_file(checkpoint, other);
  engine->retune_batch_norm(train_set);
  train(*engine, plan(), checkpoint);
  train(*fresh, plan(), other);
  EXPECT_EQ(engine->state(), fresh->state());
}

/// 2-bit weights without training: the statistics of the fp32 network no longer fit.
TEST_F(TrainingMethods, RetuningHelpsACompressedNetwork) {
  Engine engine(small_network(), 1, 1);
  TrainPlan p = plan();
  p.epochs = 8;
  train(engine, p, checkpoint);
  engine.calibrate(slice(train_set, 0, 64));
  engine.set_quantisers(sparse_layers(integer_quantiser(2, 8)));
  const double before = engine.evaluate(heldout).loss;
  engine.retune_batch_norm(train_set);
  EXPECT_LT(engine.evaluate(heldout).loss, before);
}

TEST_F(TrainingMethods, RetuningNeedsTwoImages) {
  const auto engine = compressed(1);
  EXPECT_THAT(error_of([&] { engine->retune_batch_norm(slice(train_set, 0, 1)); }), HasSubstr("2 images"));
}

}  // namespace
}  // namespace twofour::nas
