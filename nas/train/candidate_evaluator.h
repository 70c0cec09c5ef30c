#pragma once
#include <memory>

#include "twofour/nas/search/search_engine.h"
#include "twofour/nas/train/engine.h"

namespace twofour::nas {

/// Measures candidates of a space by post-training quantisation of shared weights: cut out of the largest
/// network, masks by magnitude, steps of least square error, batch normalisation re-tuned to the compressed
/// layers.
class CandidateEvaluator : public Evaluator {
 public:
  /// Changes when the same candidate would get another measurement.
  static constexpr const char* version = "2";
  /// `weights` has the layers of largest_network(space) and must outlive this. `calibration`: training images
  /// for statistics and steps; `heldout`: what is measured.
  CandidateEvaluator(const Space& space, const Engine& weights, Dataset calibration, Dataset heldout);
  ~CandidateEvaluator() override;

  std::vector<Measurement> measure(const std::vector<Candidate>& candidates) override;

 private:
  Engine& engine_of(const Network& network);

  const Space& space_;
  const Engine& weights_;
  Dataset calibration_, heldout_;
  std::unique_ptr<Engine> engine_;  ///< of the last candidate's shape
  std::string shape_;
};

}  // namespace twofour::nas
