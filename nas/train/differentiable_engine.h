#pragma once
#include "twofour/nas/search/search_engine.h"
#include "twofour/nas/train/gumbel_search.h"

namespace twofour::nas {

/// gumbel_search() as a search engine: the most probable candidate within the budget. It measures nothing:
/// its cost is the training of the supernet.
class DifferentiableEngine : public SearchEngine {
 public:
  /// `weights` has the layers of largest_network(space); they are copied. `plan`: target_us is the task's
  /// budget. The checkpoint is FOLDER/gumbel-*.ckpt, its name made from the fingerprint and the budget.
  DifferentiableEngine(const Engine& weights, GumbelPlan plan, Dataset train, Dataset alpha,
                       Dataset calibration, std::string folder, Fingerprint fingerprint);

  std::string_view name() const override { return "differentiable"; }
  /// The result's note has the epochs and the CPU time; `progress` and `stop` are not asked (a signal saves
  /// and throws Interrupted).
  SearchResult run(const SearchTask& task) override;

 private:
  const Engine& weights_;
  GumbelPlan plan_;
  Dataset train_, alpha_, calibration_;
  std::string folder_;
  Fingerprint fingerprint_;
};

}  // namespace twofour::nas
