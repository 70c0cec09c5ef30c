#pragma once
#include <functional>
#include <vector>

#include "twofour/emu/tune/space.h"

namespace twofour::emu {

/// A schedule and its time; infinity: the evaluator could not run it.
struct Candidate {
  Schedule schedule;
  double microseconds;
};

struct SearchLimits {
  std::size_t trials = 0;  ///< calls of the evaluator at most, each for another schedule
  std::uint64_t seed = 1;
  std::function<bool()> stop = {};  ///< asked before each trial; true ends the search with what it has
  std::function<void(std::size_t trials, double best_us)> progress = {};  ///< told after each trial
};

struct SearchResult {
  std::vector<Candidate> candidates;  ///< all trials, fastest first; of equals the first in the space's order
  std::size_t space = 0;              ///< schedules that there are
  bool stopped = false;
  const Candidate& best() const { return candidates.front(); }
  std::size_t trials() const { return candidates.size(); }
};

/// Trials of one search: counts them, refuses a schedule twice, and ends when the limits say so.
class Trials {
 public:
  Trials(const ScheduleSpace& space, const Evaluator& evaluator, const SearchLimits& limits);

  bool open() const { return !stopped_ && order_.size() < most_; }
  bool tried(std::size_t index) const { return tried_[index]; }
  /// Times a schedule that is not tried yet; false when the search is over, and then nothing was timed.
  bool run(std::size_t index);

  std::size_t left() const { return most_ - order_.size(); }
  const std::vector<std::size_t>& order() const { return order_; }  ///< schedules as they were tried
  const std::vector<double>& times() const { return times_; }       ///< in that order, us
  SearchResult result() const;

 private:
  const ScheduleSpace& space_;
  const Evaluator& evaluator_;
  const SearchLimits& limits_;
  std::size_t most_;
  std::vector<bool> tried_;
  std::vector<std::size_t> order_;
  std::vector<double> times_;
  double best_;
  bool stopped_ = false;
};

/// Every schedule in the space's order; limits.trials does not count.
SearchResult exhaustive_search(const ScheduleSpace& space, const Evaluator& evaluator,
                               SearchLimits limits = {});

/// Schedules drawn at random, none twice: the peer of the learning search.
SearchResult random_search(const ScheduleSpace& space, const Evaluator& evaluator,
                           const SearchLimits& limits);

}  // namespace twofour::emu
