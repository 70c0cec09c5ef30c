#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "twofour/nas/space/space_latency.h"

namespace twofour::nas {

/// How a candidate did on held-out images.
struct Measurement {
  double loss = 0;      ///< mean cross entropy
  double accuracy = 0;  ///< 0..1
  bool operator==(const Measurement&) const = default;
};

/// What is told while candidates are measured; `index` counts within the list. One call at a time, but perhaps
/// not on the thread that called. An exception ends the measuring and comes out of it.
struct MeasureEvents {
  std::function<void(std::size_t index, int rank)> begin;  ///< may come again for a candidate whose rank was lost
  std::function<void(std::size_t index, const Measurement& measurement)> done;  ///< once a candidate
};

/// Measures candidates: their weights are rounded and masked, not trained. The same candidate always gets the
/// same measurement.
class Evaluator {
 public:
  virtual ~Evaluator() = default;
  /// One measurement a candidate, in their order.
  virtual std::vector<Measurement> measure(const std::vector<Candidate>& candidates) = 0;
  /// The same, and tells of each; without an override one candidate after the other, on rank 0.
  virtual std::vector<Measurement> measure_each(const std::vector<Candidate>& candidates,
                                                const MeasureEvents& events);
};

/// Loss that each value of each decision is expected to add, the others left as they are in the most exact
/// network: by decision and value. A layer-separable model of what Evaluator measures.
using DecisionCosts = std::vector<std::vector<double>>;

struct FoundNetwork {
  Candidate candidate;
  double latency_us = 0;
  std::optional<double> predicted_cost;  ///< sum of DecisionCosts
  std::optional<Measurement> measured;
};

struct SearchProgress {
  std::int64_t done = 0, total = 0;    ///< measurements (or steps) of the engine
  const FoundNetwork* best = nullptr;  ///< within the budget; null: none yet
};

/// What an engine is given. All networks it may return have a latency within the budget.
struct SearchTask {
  const Space* space = nullptr;
  const SpaceLatency* latency = nullptr;
  const DecisionCosts* costs = nullptr;  ///< null for engines that need none
  Evaluator* evaluator = nullptr;        ///< null for engines that measure nothing
  double budget_us = 0;
  int evaluations = 0;  ///< measurements that the engine may ask for
  std::uint64_t seed = 1;
  std::function<void(const SearchProgress&)> progress;  ///< may be empty
  std::function<bool()> stop;                           ///< may be empty; true: end with the best so far
};

struct SearchResult {
  FoundNetwork best;
  std::vector<FoundNetwork> visited;  ///< everything that was measured, in order
  std::int64_t evaluations = 0;       ///< measurements asked for
  double seconds = 0;
  bool stopped = false;  ///< by task.stop before it was done
  std::string note;      ///< "optimal", "optimal to 0.02 %", what was given up
};

/// One way of searching. run() is deterministic: task, seed and measurements decide every step.
class SearchEngine {
 public:
  virtual ~SearchEngine() = default;
  virtual std::string_view name() const = 0;
  /// Throws Error for a budget that no candidate meets; the message says the least latency that one has.
  virtual SearchResult run(const SearchTask& task) = 0;
};

/// "exact", "reweighted", "evolution" or "random". Throws Error that lists the names.
std::unique_ptr<SearchEngine> make_search_engine(std::string_view name);

}  // namespace twofour::nas
