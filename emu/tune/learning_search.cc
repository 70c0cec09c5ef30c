#include "twofour/emu/tune/learning_search.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "twofour/emu/tune/boosted_trees.h"

namespace twofour::emu {
namespace {

constexpr std::size_t rounds = 16, least_batch = 8, most_batch = 256;
constexpr std::size_t chains = 64, steps = 120;
constexpr double first_temperature = 0.3, last_temperature = 0.01;  // of log time: e^0.3 is 35 % slower
constexpr double distinct_weight = 0.1;  // one whole difference is worth 10 % of time
constexpr std::size_t members = 3;       // of the committee of models
constexpr double random_share = 0.2;
constexpr std::size_t pool_per_pick = 4;

double unit(std::mt19937_64& random) {
  return static_cast<double>(random() >> 11) * 0x1p-53;
}

double distance(const ScheduleSpace::Position& a, const ScheduleSpace::Position& b) {
  std::size_t differing = 0;
  for (std::size_t axis = 0; axis < a.size(); ++axis) differing += a[axis] != b[axis];
  return static_cast<double>(differing) / static_cast<double>(a.size());
}

using Committee = std::vector<BoostedTrees>;

/// The time that a schedule may well have: the mean of the predictions less their spread. 0 with no models.
double hoped(const Committee& models, const std::uint8_t* row) {
  if (models.empty()) return 0;
  double sum = 0, squares = 0;
  for (const auto& model : models) {
    const double log_us = model.predict(row);
    sum += log_us;
    squares += log_us * log_us;
  }
  const auto n = static_cast<double>(models.size());
  return sum / n - std::sqrt(std::max(0.0, squares / n - sum * sum / (n * n)));
}

/// One search: what its rounds share.
class Learner {
 public:
  Learner(const ScheduleSpace& space, const TuningTask& task, const isa::Machine& machine, Trials& trials,
          std::uint64_t seed)
      : space_(space), features_(space, task, machine), trials_(trials), random_(seed) {}

  void run() {
    const std::size_t batch = std::clamp(trials_.left() / rounds, least_batch, most_batch);
    try_random(2 * batch);
    while (trials_.open()) {
      const auto promising = annealed(fit());
      const auto at_random = static_cast<std::size_t>(std::ceil(random_share * static_cast<double>(batch)));
      try_all(pick(promising, batch - at_random));
      try_random(at_random);
    }
  }

 private:
  using Predictions = std::vector<std::pair<double, std::size_t>>;  ///< log us, schedule

  /// Models of resampled trials: where they disagree, little is known.
  Committee fit() {
    std::vector<std::size_t> good;
    for (std::size_t i = 0; i < trials_.order().size(); ++i)
      if (std::isfinite(trials_.times()[i])) good.push_back(i);
    Committee models;
    for (std::size_t member = 0; member < members && !good.empty(); ++member) {
      std::vector<std::size_t> rows;
      std::vector<double> targets;
      for (std::size_t i = 0; i < good.size(); ++i) {
        const std::size_t at = good[below(good.size(), random_)];
        rows.push_back(trials_.order()[at]);
        targets.push_back(std::log(trials_.times()[at]));
      }
      models.emplace_back(features_, rows, targets, random_);
    }
    return models;
  }

  /// Where the chains start: half from the fastest schedules timed, half anywhere.
  std::vector<std::size_t> starts() {
    std::vector<std::size_t> rank(trials_.order().size());
    std::iota(rank.begin(), rank.end(), std::size_t{0});
    const std::size_t fast = std::min(chains / 2, rank.size());
    std::partial_sort(rank.begin(), rank.begin() + std::ptrdiff_t(fast), rank.end(),
                      [&](std::size_t a, std::size_t b) {
                        return std::pair(trials_.times()[a], a) < std::pair(trials_.times()[b], b);
                      });
    std::vector<std::size_t> at;
    for (std::size_t i = 0; i < fast; ++i) at.push_back(trials_.order()[rank[i]]);
    while (at.size() < chains) at.push_back(below(space_.size(), random_));
    return at;
  }

  /// Every untried schedule that the chains met, with its prediction, fastest first.
  Predictions annealed(const Committee& models) {
    Predictions met;
    const auto look = [&](std::size_t schedule) {
      const double log_us = hoped(models, features_.row(schedule));
      if (!trials_.tried(schedule)) met.emplace_back(log_us, schedule);
      return log_us;
    };
    const double cooling = std::pow(last_temperature / first_temperature, 1.0 / steps);
    for (std::size_t at : starts()) {
      double here = look(at), temperature = first_temperature;
      for (std::size_t step = 0; step < steps; ++step, temperature *= cooling) {
        const std::size_t next = space_.neighbour(at, random_);
        const double there = look(next);
        if (there > here && unit(random_) >= std::exp((here - there) / temperature)) continue;
        at = next;
        here = there;
      }
    }
    std::sort(met.begin(), met.end());
    met.erase(std::unique(met.begin(), met.end()), met.end());
    return met;
  }

  std::vector<std::size_t> pick(const Predictions& promising, std::size_t count) {
    std::vector<std::size_t> pool;
    std::vector<double> scores;
    for (std::size_t i = 0; i < std::min(promising.size(), pool_per_pick * count); ++i) {
      pool.push_back(promising[i].second);
      scores.push_back(-promising[i].first);
    }
    return pick_distinct(space_, pool, scores, count, distinct_weight);
  }

  void try_all(const std::vector<std::size_t>& schedules) {
    for (const std::size_t schedule : schedules) trials_.run(schedule);
  }

  void try_random(std::size_t count) {
    for (std::size_t i = 0; i < count && trials_.open(); ++i) {
      std::size_t schedule = below(space_.size(), random_);
      while (trials_.tried(schedule)) schedule = (schedule + 1) % space_.size();
      trials_.run(schedule);
    }
  }

  const ScheduleSpace& space_;
  BinnedFeatures features_;
  Trials& trials_;
  std::mt19937_64 random_;
};

}  // namespace

std::vector<std::size_t> pick_distinct(const ScheduleSpace& space, const std::vector<std::size_t>& pool,
                                       const std::vector<double>& scores, std::size_t count, double weight) {
  std::vector<std::size_t> picked;
  std::vector<double> nearest(pool.size(), 1);  // distance to the nearest one picked; -1: picked itself
  while (picked.size() < std::min(count, pool.size())) {
    std::size_t best = pool.size();
    for (std::size_t i = 0; i < pool.size(); ++i)
      if (nearest[i] >= 0 &&
          (best == pool.size() || scores[i] + weight * nearest[i] > scores[best] + weight * nearest[best]))
        best = i;
    picked.push_back(pool[best]);
    for (std::size_t i = 0; i < pool.size(); ++i)
      nearest[i] = std::min(nearest[i], distance(space.position(pool[i]), space.position(pool[best])));
    nearest[best] = -1;
  }
  return picked;
}

SearchResult learning_search(const ScheduleSpace& space, const TuningTask& task, const isa::Machine& machine,
                             const Evaluator& evaluator, const SearchLimits& limits) {
  Trials trials(space, evaluator, limits);
  Learner(space, task, machine, trials, limits.seed).run();
  return trials.result();
}

}  // namespace twofour::emu
