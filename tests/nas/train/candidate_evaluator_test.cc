#include "twofour/nas/train/candidate_evaluator.h"

#include <gtest/gtest.h>

#include <cmath>

#include "synthetic_images.h"
#include "twofour/nas/search/costs.h"
#include "twofour/nas/space/space_file.h"
#include "twofour/nas/train/shared_weights.h"
#include "twofour/nas/train/trainer.h"

namespace twofour::nas {
namespace {

const Dataset train_set = synthetic_images(640, 1), calibration = slice(train_set, 0, 100),
              heldout = synthetic_images(200, 2);
constexpr const char* sizes = R"(
schema = 1
kind = "asps"
menu = ["fp16", "int8", "int8-2:4", "int4", "int1"]
kernels = [1, 3]
widths = [0.5, 1.0]
)";
constexpr const char* options = R"(
schema = 1
kind = "msps"
menu = ["fp16", "int8", "int8-2:4", "int4", "int1"]
)";

struct CandidateEvaluatorTest : testing::Test {
  ScratchFolder folder;
  const Network backbone = resnet_small(1, 32, 1, 8);

  std::unique_ptr<Engine> trained(const Space& space) const {
    TrainPlan plan{.epochs = 2, .batch = 32, .peak_rate = 0.1, .flip = false, .shift = 0};
    return std::move(train_shared_weights(space, plan, 0, train_set, calibration, heldout,
                                          folder.file("shared.ckpt"), {{"test", "1"}}, "test")
                         .weights);
  }
};

/// The network with those quantisers, made by hand.
TEST_F(CandidateEvaluatorTest, MeasuresTheNetworkWithTheCandidatesOptions) {
  const Space space = parse_space(options, "test", backbone);
  const auto weights = trained(space);
  CandidateEvaluator evaluator(space, *weights, calibration, heldout);
  const Candidate mixed = uniform_candidate(space, Option::int8_sparse, Option::int8),
                  fine = uniform_candidate(space, Option::fp16, Option::fp16);
  const auto measured = evaluator.measure({mixed, fine, mixed});
  const auto by_hand = weights->part(model_spec(backbone));
  by_hand->calibrate(calibration);
  by_hand->set_quantisers(quantisers(architecture(space, mixed).options, StepRule::least_square));
  by_hand->retune_batch_norm(calibration);
  EXPECT_EQ(measured[0].loss, by_hand->evaluate(heldout).loss);
  EXPECT_EQ(measured[0], measured[2]);
  EXPECT_NE(measured[1].loss, measured[0].loss);
}

TEST_F(CandidateEvaluatorTest, OrderOfCandidatesDoesNotMatter) {
  const Space space = parse_space(sizes, "test", backbone);
  const auto weights = trained(space);
  CandidateEvaluator forward(space, *weights, calibration, heldout),
      backward(space, *weights, calibration, heldout);
  std::vector<Candidate> candidates;
  for (std::size_t d = 0; d < space.decisions.size(); ++d) {
    candidates.push_back(uniform_candidate(space, Option::int8, Option::int8));
    candidates.back()[d] = 0;
  }
  auto found = forward.measure(candidates);
  std::reverse(candidates.begin(), candidates.end());
  auto reversed = backward.measure(candidates);
  std::reverse(reversed.begin(), reversed.end());
  EXPECT_EQ(found, reversed);
  EXPECT_GT(found[0].accuracy, 0.8);
}

/// Costs are differences to the reference; its own values cost nothing; one bit changes the loss more than
/// eight do.
TEST_F(CandidateEvaluatorTest, CostsAreLossesOfOneChange) {
  const Space space = parse_space(options, "test", backbone);
  const auto weights = trained(space);
  CandidateEvaluator evaluator(space, *weights, calibration, heldout);
  const Candidate reference = uniform_candidate(space, Option::fp16, Option::fp16);
  const DecisionCosts costs = measure_costs(space, reference, evaluator, [] {});
  ASSERT_EQ(costs.size(), space.decisions.size());
  double int8 = 0, int1 = 0;
  for (std::size_t d = 0; d < costs.size(); ++d) {
    EXPECT_EQ(costs[d][std::size_t(reference[d])], 0);
    for (int v = 0; v < space.decisions[d].count(); ++v) {
      if (space.decisions[d].options[std::size_t(v)] == Option::int8) int8 += costs[d][std::size_t(v)];
      if (space.decisions[d].options[std::size_t(v)] == Option::int1) int1 += costs[d][std::size_t(v)];
    }
  }
  EXPECT_GT(std::abs(int1), 10 * std::abs(int8));
  Candidate one = reference;
  one[2] = 0;
  const auto measured = evaluator.measure({reference, one});
  EXPECT_EQ(costs[2][0], measured[1].loss - measured[0].loss);
}

TEST_F(CandidateEvaluatorTest, SampledNetworksAreDrawnBySeedAndStep) {
  const Space space = parse_space(sizes, "test", backbone);
  EXPECT_EQ(describe(sampled_network(space, 1, 0)), describe(largest_network(space)));
  EXPECT_EQ(describe(sampled_network(space, 1, 2)), describe(backbone));
  EXPECT_EQ(describe(sampled_network(space, 1, 5)), describe(sampled_network(space, 1, 5)));
  int different = 0;
  for (int step = 1; step < 41; step += 2)
    different += describe(sampled_network(space, 1, step)) != describe(sampled_network(space, 2, step));
  EXPECT_GT(different, 15);
}

}  // namespace
}  // namespace twofour::nas
