#include "twofour/nas/train/candidate_evaluator.h"

#include "twofour/nas/train/interrupt.h"
#include "twofour/nas/train/trainer.h"

namespace twofour::nas {

CandidateEvaluator::CandidateEvaluator(const Space& space, const Engine& weights, Dataset calibration,
                                       Dataset heldout)
    : space_(space), weights_(weights), calibration_(std::move(calibration)), heldout_(std::move(heldout)) {}

CandidateEvaluator::~CandidateEvaluator() = default;

Engine& CandidateEvaluator::engine_of(const Network& network) {
  const std::string shape = describe(network);
  if (shape == shape_) return *engine_;
  engine_ = weights_.part(model_spec(network));
  if (shape != describe(largest_network(space_))) engine_->retune_batch_norm(calibration_);
  engine_->calibrate(calibration_);
  engine_->keep_steps();
  shape_ = shape;
  return *engine_;
}

std::vector<Measurement> CandidateEvaluator::measure(const std::vector<Candidate>& candidates) {
  std::vector<Measurement> measured;
  for (const Candidate& candidate : candidates) {
    check_interrupt();
    const Architecture wanted = architecture(space_, candidate);
    Engine& engine = engine_of(wanted.network);
    engine.set_quantisers(quantisers(wanted.options, StepRule::least_square));
    engine.retune_batch_norm(calibration_);
    const Score score = engine.evaluate(heldout_);
    measured.push_back({score.loss, score.accuracy()});
  }
  return measured;
}

}  // namespace twofour::nas
