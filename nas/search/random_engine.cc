#include <chrono>

#include "twofour/nas/search/engine_tools.h"

namespace twofour::nas {
namespace {

constexpr int batch = 16;           ///< of candidates that are measured together
constexpr int draws = 200;          ///< before a candidate is made by moves
constexpr int most_repeats = 1000;  ///< in a row, before the space counts as exhausted
constexpr double near = 0.95;       ///< of the budget

/// Two samples in turn, so that the baseline is neither far under the budget nor blind to fast networks:
/// - uniform over the candidates within the budget: draws of uniform values until one is within it;
/// - near the budget: the same until one takes 95 to 100 % of it.
/// After 200 draws in vain the last one is moved there by random steps (BudgetMoves), which is no longer
/// uniform. Networks that were measured before are drawn anew.
class RandomEngine final : public SearchEngine {
 public:
  std::string_view name() const override { return "random"; }

  SearchResult run(const SearchTask& task) override {
    const auto start = std::chrono::steady_clock::now();
    check_task(task, name(), false);
    const BudgetMoves moves(*task.space, *task.latency, task.budget_us);
    Measurements measurements(task);
    Random random(task.seed);
    bool exhausted = false;
    for (int sample = 0; measurements.left() > 0 && !exhausted;) {
      std::vector<Candidate> list;
      while (int(list.size()) < std::min(batch, measurements.left()) && !exhausted) {
        exhausted =
            !add_new(moves, measurements, sample++ % 2 == 1 ? near * task.budget_us : 0, random, list);
      }
      if (list.empty()) break;
      measurements.measure(list);
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    return measurements.finish(exhausted ? "no further networks were found" : "", moves.fastest(),
                               seconds.count());
  }

 private:
  static bool add_new(const BudgetMoves& moves, Measurements& measurements, double least_us, Random& random,
                      std::vector<Candidate>& list) {
    for (int i = 0; i < most_repeats; ++i) {
      Candidate candidate = sample(moves, i < most_repeats / 2 ? least_us : 0, random);
      if (!measurements.mark(candidate)) continue;
      list.push_back(std::move(candidate));
      return true;
    }
    return false;
  }

  /// At least `least_us` where that can be had.
  static Candidate sample(const BudgetMoves& moves, double least_us, Random& random) {
    Candidate candidate;
    for (int i = 0; i < draws; ++i) {
      candidate = moves.draw(random);
      const double us = moves.us(candidate);
      if (us <= moves.budget_us() && us >= least_us) return candidate;
    }
    moves.shrink(candidate, random);
    moves.grow(candidate, least_us, random);
    return candidate;
  }
};

}  // namespace

std::unique_ptr<SearchEngine> make_random_engine() {
  return std::make_unique<RandomEngine>();
}

}  // namespace twofour::nas
