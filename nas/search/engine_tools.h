#pragma once
#include <random>
#include <set>
#include <string>

#include "twofour/nas/search/search_engine.h"

namespace twofour::nas {

/// The same numbers from the same seed on every platform, which the distributions of <random> do not promise.
class Random {
 public:
  explicit Random(std::uint64_t seed) : bits_(seed) {}
  /// 0 .. n - 1.
  int below(int n) { return int(bits_() % std::uint64_t(n)); }
  /// 0 up to, but not including, 1.
  double uniform() { return double(bits_() >> 11) * 0x1p-53; }
  template <class T>
  void shuffle(std::vector<T>& list) {
    for (std::size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[std::size_t(below(int(i)))]);
  }

 private:
  std::mt19937_64 bits_;
};

/// Moves candidates to and along the budget by steps in one decision.
class BudgetMoves {
 public:
  /// Throws Error for a budget that nothing meets.
  BudgetMoves(const Space& space, const SpaceLatency& latency, double budget_us);

  /// Every decision's values alike.
  Candidate draw(Random& random) const;
  /// Until it is within the budget: a decision drawn at random takes the slowest of its values that make the
  /// network faster. Where no single decision does, decisions drawn at random take their value in the fastest
  /// network.
  void shrink(Candidate& candidate, Random& random) const;
  /// Until it takes at least `least_us`: a decision drawn at random takes one, drawn at random, of its values
  /// that make the network slower and keep it within the budget; ends early where no decision has one.
  void grow(Candidate& candidate, double least_us, Random& random) const;
  double us(const Candidate& candidate) const { return latency_.us(candidate); }
  double budget_us() const { return budget_us_; }
  const Candidate& fastest() const { return fastest_; }

 private:
  template <class Step>
  void move(Candidate& candidate, Random& random, const Step& step) const;
  std::vector<double> latencies(Candidate& candidate, int decision) const;

  const Space& space_;
  const SpaceLatency& latency_;
  double budget_us_;
  Candidate fastest_;
};

/// What an engine has measured. Its networks are within the budget and measured once.
class Measurements {
 public:
  /// Throws Error for a task without space, latencies, evaluator or a positive number of evaluations.
  explicit Measurements(const SearchTask& task);

  /// Measurements that are left; 0 after a stop.
  int left() const;
  bool known(const Candidate& candidate) const { return known_.contains(candidate); }
  /// Marks a candidate as one that measure() will be given; false if it was marked before.
  bool mark(const Candidate& candidate) { return known_.insert(candidate).second; }
  /// Measures the first left() of them, appends them to visited() and reports progress. Asks for a stop
  /// first.
  void measure(const std::vector<Candidate>& batch);
  const std::vector<FoundNetwork>& visited() const { return result_.visited; }
  /// The best of all measured: least loss, then least latency, then the first. Null: none yet.
  const FoundNetwork* best() const { return best_ < 0 ? nullptr : &result_.visited[std::size_t(best_)]; }
  /// The result; `otherwise` is the best where nothing was measured.
  SearchResult finish(std::string note, const Candidate& otherwise, double seconds);

 private:
  FoundNetwork found(const Candidate& candidate) const;

  const SearchTask& task_;
  std::set<Candidate> known_;
  SearchResult result_;
  int best_ = -1;
};

/// Whether a measured network is better than another: less loss (one that is not a number is the worst), then
/// less latency.
bool better(const FoundNetwork& a, const FoundNetwork& b);

/// Throws Error for a task without what every engine needs, or without costs where they are needed.
void check_task(const SearchTask& task, std::string_view engine, bool needs_costs);

std::unique_ptr<SearchEngine> make_exact_engine();
std::unique_ptr<SearchEngine> make_reweighted_engine();
std::unique_ptr<SearchEngine> make_evolution_engine();
std::unique_ptr<SearchEngine> make_random_engine();

}  // namespace twofour::nas
