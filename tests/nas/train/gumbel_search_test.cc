#include "twofour/nas/train/gumbel_search.h"

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
using testing::Each;
using testing::HasSubstr;
using Kind = SupernetDecision::Kind;

const Dataset train_set = synthetic_images(320, 1), heldout = synthetic_images(160, 2);
const Fingerprint fingerprint{{"network", "test"}};

/// Stem, two layers with a residual add, classifier.
const ModelSpec& spec() {
  static const ModelSpec network{
      "test",
      8,
      8,
      {{"stem", 1, 16, 3, 2, 1, 0, -1, Activation::relu, {}},
       {"conv1", 16, 16, 3, 1, 1, 1, -1, Activation::relu, {}},
       {"conv2", 16, 16, 3, 1, 1, 2, 1, Activation::relu, {}},
       {"classifier", 16, 10, 1, 1, 0, 3, -1, Activation::none, {PoolKind::global_average, 0, 0, 0}}}};
  return network;
}

std::vector<SupernetDecision> decisions(const std::vector<Quantiser>& menu) {
  std::vector<SupernetDecision> list;
  for (int i = 0; i < int(spec().layers.size()); ++i) list.push_back({Kind::option, "option", {i}, menu, {}});
  return list;
}

/// The same latency in every layer: one figure an option.
LatencyTerms terms(const std::vector<SupernetDecision>& list, const std::vector<double>& us) {
  return latency_terms(spec(), list, [&](int layer, const std::vector<int>& c) {
    return us[std::size_t(c[std::size_t(layer)])];
  });
}

GumbelPlan plan(int epochs, double target_us) {
  GumbelPlan p;
  p.weights = {.epochs = epochs, .batch = 32, .peak_rate = 0.05, .flip = false, .shift = 0};
  p.alpha_rate = 0.2;
  p.target_us = target_us;
  return p;
}

struct GumbelSearchTest : testing::Test {
  ScratchFolder folder;
  const std::string checkpoint = folder.file("search.ckpt");
  const std::vector<SupernetDecision> list = decisions({integer_quantiser(8, 8), integer_quantiser(4, 4)});

  static std::unique_ptr<Engine> calibrated(int seed = 1) {
    auto engine = std::make_unique<Engine>(spec(), seed, 1);
    engine->calibrate(slice(train_set, 0, 100));
    return engine;
  }
  GumbelResult search(Engine& engine, const GumbelPlan& p, const LatencyTerms& latency,
                      const std::string& path) {
    return gumbel_search(engine, list, latency, p, train_set, heldout, path, fingerprint, "test");
  }
};

/// Four bits are five times as fast and hardly worse: with the target in reach of them alone they must win in
/// every layer.
TEST_F(GumbelSearchTest, TheOptionThatMeetsTheTargetIsFound) {
  const auto engine = calibrated();
  GumbelPlan p = plan(6, 2.0 * double(list.size()) * 1.05);
  p.latency_weight = 20;
  const auto result = search(*engine, p, terms(list, {10, 2}), checkpoint);
  EXPECT_THAT(result.argmax, Each(1));
  EXPECT_DOUBLE_EQ(result.argmax_us, 2.0 * double(list.size()));
  ASSERT_EQ(result.history.size(), 6u);
  EXPECT_EQ(result.history[0].tau, 0);
  EXPECT_DOUBLE_EQ(result.history[0].expected_us, 6.0 * double(list.size()));
  EXPECT_NEAR(result.history[0].entropy, std::log(2), 1e-6);
  EXPECT_NEAR(result.history[1].tau, 5, 1e-12);
  EXPECT_NEAR(result.history[5].tau, 0.4, 1e-12);
  EXPECT_LT(result.history[5].expected_us, 0.6 * result.history[0].expected_us);
  EXPECT_LT(result.history[5].entropy, 0.5);
  EXPECT_DOUBLE_EQ(result.history[5].expected_us, result.expected_us);
  for (const auto& costs : result.costs) EXPECT_NEAR(std::exp(-costs[0]) + std::exp(-costs[1]), 1, 1e-12);
}

/// A target that everything meets exerts no pull: the loss decides, and one bit is worse than f16 in a
/// trained network.
TEST_F(GumbelSearchTest, WithoutPressureTheLossDecides) {
  const auto menu = decisions({integer_quantiser(1, 1), {Precision::f16}});
  Engine engine(spec(), 1, 1);
  TrainPlan dense{.epochs = 3, .batch = 32, .peak_rate = 0.1, .flip = false, .shift = 0};
  engine.train(dense, train_set, heldout, folder.file("dense.ckpt"), fingerprint, "dense");
  engine.calibrate(slice(train_set, 0, 100));
  GumbelPlan p = plan(5, 1e6);
  p.latency_weight = 1e6;
  p.weights.peak_rate = 1e-4;
  p.warmup_epochs = 0;
  const auto result = gumbel_search(engine, menu, terms(menu, {1, 5}), p, train_set, heldout, checkpoint,
                                    fingerprint, "test");
  EXPECT_THAT(result.argmax, Each(1));
  EXPECT_LT(result.history.back().heldout_loss, result.history.front().heldout_loss);
}

/// A signal stops after one batch. Runs broken off over two epochs' ends, each gone on with by a fresh engine
/// of another seed, and the rest: the bits of an unbroken run.
TEST_F(GumbelSearchTest, BrokenOffSearchGoesOnToTheSameBits) {
  const LatencyTerms latency = terms(list, {10, 2});
  GumbelPlan p = plan(3, 15);
  p.weights.flip = true;
  p.weights.shift = 1;
  const auto whole = calibrated();
  const auto expected = search(*whole, p, latency, folder.file("whole.ckpt"));
  for (int i = 0; i < 22; ++i) {
    const auto engine = calibrated(i == 0 ? 1 : 77);
    const InterruptGuard guard;
    raise(SIGINT);
    EXPECT_THROW(search(*engine, p, latency, checkpoint), Interrupted);
  }
  const auto engine = calibrated(77);
  const auto result = search(*engine, p, latency, checkpoint);
  EXPECT_EQ(engine->state(), whole->state());
  EXPECT_EQ(result.costs, expected.costs);
  EXPECT_EQ(result.argmax, expected.argmax);
  ASSERT_EQ(result.history.size(), expected.history.size());
  for (std::size_t i = 0; i < result.history.size(); ++i) {
    EXPECT_EQ(result.history[i].train_loss, expected.history[i].train_loss);
    EXPECT_EQ(result.history[i].heldout_loss, expected.history[i].heldout_loss);
    EXPECT_EQ(result.history[i].sampled_us, expected.history[i].sampled_us);
    EXPECT_EQ(result.history[i].entropy, expected.history[i].entropy);
  }
}

/// What a finished search left is its result.
TEST_F(GumbelSearchTest, AFinishedSearchIsNotRepeated) {
  const LatencyTerms latency = terms(list, {10, 2});
  const auto first = search(*calibrated(), plan(2, 15), latency, checkpoint);
  const auto again = search(*calibrated(5), plan(2, 15), latency, checkpoint);
  EXPECT_EQ(again.costs, first.costs);
  EXPECT_EQ(again.history[1].cpu_seconds, first.history[1].cpu_seconds);
}

TEST_F(GumbelSearchTest, AnotherPlanOrTableIsRefused) {
  const LatencyTerms latency = terms(list, {10, 2});
  search(*calibrated(), plan(2, 15), latency, checkpoint);
  EXPECT_THAT(error_of([&] { search(*calibrated(), plan(2, 16), latency, checkpoint); }),
              AllOf(HasSubstr(checkpoint), HasSubstr("target 15 us"), HasSubstr("target 16 us")));
  EXPECT_THAT(error_of([&] {
                search(*calibrated(), plan(2, 15), terms(list, {10, 3}), checkpoint);
              }),
              HasSubstr("latency: checkpoint: "));
}

TEST_F(GumbelSearchTest, DivergenceKeepsTheLastGoodCheckpoint) {
  GumbelPlan wild = plan(2, 15);
  wild.weights.peak_rate = 1e30;
  const LatencyTerms latency = terms(list, {10, 2});
  EXPECT_THAT(error_of([&] { search(*calibrated(), wild, latency, folder.file("none.ckpt")); }),
              AllOf(HasSubstr("diverged"), HasSubstr("no checkpoint"), HasSubstr("learning rate")));
  {
    const InterruptGuard guard;
    raise(SIGINT);
    EXPECT_THROW(search(*calibrated(), wild, latency, checkpoint), Interrupted);
  }
  const auto size = std::filesystem::file_size(checkpoint);
  const auto time = std::filesystem::last_write_time(checkpoint);
  EXPECT_THAT(error_of([&] { search(*calibrated(), wild, latency, checkpoint); }),
              AllOf(HasSubstr("diverged"), HasSubstr("kept in " + checkpoint)));
  EXPECT_EQ(std::filesystem::file_size(checkpoint), size);
  EXPECT_EQ(std::filesystem::last_write_time(checkpoint), time);
}

/// Shares that are equal at any noise: every held-out batch counts once, whatever the ratio of the sets.
TEST_F(GumbelSearchTest, AnEpochSeesEveryHeldOutBatchOnce) {
  GumbelPlan p = plan(2, 15);
  p.first_tau = p.last_tau = 1e9;
  p.alpha_rate = 0;
  p.warmup_epochs = 0;
  for (int images : {32, 96, 160}) {
    const auto result =
        gumbel_search(*calibrated(), list, terms(list, {10, 2}), p, slice(train_set, 0, 96),
                      slice(heldout, 0, images), folder.file(std::to_string(images)), fingerprint, "test");
    for (const GumbelEpoch& e : result.history) {
      EXPECT_NEAR(e.sampled_us, 24, 1e-3) << images;
      EXPECT_NEAR(e.expected_us, 24, 1e-9);
    }
  }
}

TEST_F(GumbelSearchTest, PlansThatMakeNoSenseAreRefused) {
  const LatencyTerms latency = terms(list, {10, 2});
  const auto engine = calibrated();
  EXPECT_THAT(error_of([&] { search(*engine, plan(1, 15), latency, checkpoint); }), HasSubstr("leaves none"));
  EXPECT_THAT(error_of([&] { search(*engine, plan(2, 0), latency, checkpoint); }), HasSubstr("not positive"));
  Engine raw(spec(), 1, 1);
  EXPECT_THAT(error_of([&] { search(raw, plan(2, 15), latency, checkpoint); }), HasSubstr("calibrated"));
  const Dataset few = slice(heldout, 0, 20);
  EXPECT_THAT(error_of([&] {
                gumbel_search(*engine, list, latency, plan(2, 15), train_set, few, checkpoint, fingerprint,
                              "test");
              }),
              HasSubstr("fewer than a batch"));
}

/// Kernels and widths have probabilities, too: wide layers and large kernels cost what the target forbids.
TEST_F(GumbelSearchTest, ShapesShrinkToTheTarget) {
  auto shapes = decisions({{Precision::f16}});
  shapes.push_back({Kind::kernel, "kernel", {1}, {}, {1, 3}});
  shapes.push_back({Kind::width, "width", {0, 2}, {}, {8, 16}});
  const std::size_t kernel = shapes.size() - 2, width = shapes.size() - 1;
  const LatencyTerms latency = latency_terms(spec(), shapes, [&](int layer, const std::vector<int>& c) {
    return layer <= 3 ? (1 + 4.0 * c[width]) * (layer == 1 ? 1 + 8.0 * c[kernel] : 1) : 1.0;
  });
  const auto engine = calibrated();
  GumbelPlan p = plan(5, 12);
  p.latency_weight = 20;
  const auto result =
      gumbel_search(*engine, shapes, latency, p, train_set, heldout, checkpoint, fingerprint, "test");
  EXPECT_EQ(result.argmax[kernel], 0);
  EXPECT_EQ(result.argmax[width], 0);
}

}  // namespace
}  // namespace twofour::nas
