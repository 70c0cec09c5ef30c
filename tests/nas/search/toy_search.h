#pragma once
#include <functional>
#include <string>
#include <vector>

#include "twofour/nas/search/search_engine.h"

namespace twofour::nas {

/// A number of 0..1 that depends on every index and follows no simple rule.
Measurement toy_measurement(const Candidate& candidate);

/// toy_measurement(), telling `on_call` of each candidate first.
class ToyEvaluator : public Evaluator {
 public:
  explicit ToyEvaluator(std::function<void(const Candidate&)> on_call) : on_call_(std::move(on_call)) {}
  std::vector<Measurement> measure(const std::vector<Candidate>& candidates) override;

 private:
  std::function<void(const Candidate&)> on_call_;
};

/// All that was asked for, in order, by rounds of `batch` candidates that descend from the best so far: a
/// search of which every step depends on the measurements. Some candidates are asked for again.
std::vector<std::pair<Candidate, Measurement>> toy_search(Evaluator& evaluator, int rounds, int batch);

}  // namespace twofour::nas
