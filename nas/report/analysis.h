#pragma once
#include "twofour/nas/report/report.h"

namespace twofour::nas {

/// The baseline of comparisons: uniform sparse int8.
inline constexpr const char* baseline_method = "int8-2:4";
/// Accuracies this near to the baseline's count as equal: 0.2 points.
inline constexpr double equal_accuracy = 0.002;

/// Mean and sample standard deviation (0 for one value).
struct Spread {
  double mean = 0, deviation = 0;
  int count = 0;
};
Spread spread(const std::vector<double>& values);

/// The networks of one group, method and budget over the seeds.
struct MethodSummary {
  std::string group, method;
  double budget = 0;
  Spread accuracy, latency_us, latency_batch1_us;
};
/// In order of first appearance.
std::vector<MethodSummary> summaries(const Report& report);

/// Area between the networks of a method and the reference point (latency of uniform fp16, accuracy 10 points
/// below uniform fp16's, of the same seed), over that rectangle's: 0 to about 1. `method` "uniform": all
/// uniform networks together.
struct Hypervolume {
  std::uint64_t seed = 0;
  std::string group, method;
  double value = 0;
};
/// For every seed, each search method of each group over its budgets, each uniform network, and each group as
/// a whole (method ""): all uniform networks, or all engines, without random search, their baseline.
std::vector<Hypervolume> hypervolumes(const Report& report);

/// "exact"; for a group as a whole "all" or "all engines".
std::string method_label(const std::string& group, const std::string& method);

/// A group or method against uniform sparse int8, a seed a row.
struct AgainstBaseline {
  std::uint64_t seed = 0;
  std::string group, method;
  /// Baseline's latency over that of the fastest network whose accuracy is at most 0.2 points lower; none: no
  /// such network.
  std::optional<double> speedup, speedup_batch1;
  std::optional<double> speedup_network;  ///< of the whole networks (network_us); none: not timed
  /// Accuracy of the best network that is no slower, minus the baseline's; none: no such network.
  std::optional<double> accuracy_gain;
};
std::vector<AgainstBaseline> against_baseline(const Report& report);

/// Networks of the seed that no other network of it beats in latency and accuracy; by rising latency.
std::vector<const NetworkRow*> pareto_front(const Report& report, std::uint64_t seed);

}  // namespace twofour::nas
