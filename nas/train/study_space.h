#pragma once
#include "twofour/nas/search/journal.h"
#include "twofour/nas/train/study_seed.h"

namespace twofour::nas {

/// The spaces of the settings for a backbone. Throws Error as read_space, and for a budget (over
/// `baseline_us`) that no network of a space meets; the message says the least that can be met.
std::vector<StudySpace> study_spaces(const StudySettings& settings, const Network& backbone,
                                     const isa::Machine& machine, double baseline_us);

/// All searches of one space for one seed.
class SpaceSearch {
 public:
  SpaceSearch(const StudyContext& context, const StudySpace& space, std::uint64_t seed,
              const StudyScale& scale, const std::string& folder, Trainer& dense);
  ~SpaceSearch();

  /// What the engines found at the budgets; on ranks other than 0 nothing, after serving rank 0.
  std::vector<ChosenNetwork> run();
  /// Weights that the chosen networks start from; null where they start from the backbone's.
  std::unique_ptr<Engine> release_shared_weights() { return std::move(shared_); }

 private:
  bool has_sizes() const;
  void make_weights();
  Fingerprint fingerprint() const;
  std::vector<ChosenNetwork> search_all(JournalledEvaluator& evaluator);
  void measure_all_costs(JournalledEvaluator& evaluator);
  ChosenNetwork search_one(const std::string& engine, double budget, JournalledEvaluator& evaluator);
  SearchResult run_engine(const std::string& engine, const SearchTask& task);
  void add_uncertainty(double budget, const Candidate& candidate);
  Dataset calibration_images() const;

  const StudyContext& context_;
  const std::string& group_;
  const std::string& space_text_;
  const Space& space_;
  const SpaceLatency& latency_;
  std::uint64_t seed_;
  const StudyScale& scale_;
  std::string folder_;
  Trainer& dense_;
  std::unique_ptr<Engine> shared_;
  std::string weights_name_;  ///< what the shared weights depend on
  DecisionCosts costs_;
};

}  // namespace twofour::nas
