#include "twofour/emu/tune/search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "twofour/isa/error.h"

namespace twofour::emu {

Trials::Trials(const ScheduleSpace& space, const Evaluator& evaluator, const SearchLimits& limits)
    : space_(space),
      evaluator_(evaluator),
      limits_(limits),
      most_(std::min(limits.trials, space.size())),
      tried_(space.size(), false),
      best_(std::numeric_limits<double>::infinity()) {
  if (most_ == 0) fail("schedule search: it needs at least one trial");
}

bool Trials::run(std::size_t index) {
  // The first trial is made whatever `stop` says, so that there is a result.
  if (limits_.stop && !order_.empty() && limits_.stop()) stopped_ = true;
  if (!open() || tried_[index]) return false;
  const double us = evaluator_(space_[index]);
  tried_[index] = true;
  order_.push_back(index);
  times_.push_back(std::isnan(us) ? std::numeric_limits<double>::infinity() : us);
  best_ = std::min(best_, times_.back());
  if (limits_.progress) limits_.progress(order_.size(), best_);
  return true;
}

SearchResult Trials::result() const {
  std::vector<std::size_t> rank(order_.size());
  std::iota(rank.begin(), rank.end(), std::size_t{0});
  std::sort(rank.begin(), rank.end(), [&](std::size_t a, std::size_t b) {
    return times_[a] != times_[b] ? times_[a] < times_[b] : order_[a] < order_[b];
  });
  SearchResult result;
  result.space = space_.size();
  result.stopped = stopped_;
  for (const std::size_t at : rank) result.candidates.push_back({space_[order_[at]], times_[at]});
  return result;
}

SearchResult exhaustive_search(const ScheduleSpace& space, const Evaluator& evaluator, SearchLimits limits) {
  limits.trials = space.size();
  Trials trials(space, evaluator, limits);
  for (std::size_t i = 0; i < space.size() && trials.open(); ++i) trials.run(i);
  return trials.result();
}

SearchResult random_search(const ScheduleSpace& space, const Evaluator& evaluator,
                           const SearchLimits& limits) {
  std::mt19937_64 random(limits.seed);
  Trials trials(space, evaluator, limits);
  std::vector<std::size_t> deck(space.size());
  std::iota(deck.begin(), deck.end(), std::size_t{0});
  for (std::size_t i = 0; i < deck.size() && trials.open(); ++i) {
    std::swap(deck[i], deck[i + below(deck.size() - i, random)]);
    trials.run(deck[i]);
  }
  return trials.result();
}

}  // namespace twofour::emu
