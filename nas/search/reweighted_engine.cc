#include <algorithm>
#include <chrono>
#include <cmath>

#include "twofour/nas/search/engine_tools.h"
#include "twofour/nas/search/space_problem.h"

namespace twofour::nas {
namespace {

constexpr int batch = 4;             ///< of proposals around one centre
constexpr int most_repeats = 50;     ///< proposals in a row that lead to known networks
constexpr double first_share = 0.5;  ///< of the coefficients that a proposal changes, at the beginning
constexpr double first_reach = 2, last_reach = 0.25;  ///< of a change, as an exponent of 2
constexpr double most_exponent = 4;                   ///< coefficients lie in 2^-4 .. 2^4

/// Frantar and Alistarh, "SPDY", ICML 2022: separable costs are wrong where layers interact, so every
/// decision's costs get a coefficient, and the coefficients are searched for by measuring the network that is
/// optimal under them. All ones first; then steps from the best so far, ever fewer and smaller.
class ReweightedEngine final : public SearchEngine {
 public:
  std::string_view name() const override { return "reweighted"; }

  SearchResult run(const SearchTask& task) override {
    const auto start = std::chrono::steady_clock::now();
    check_task(task, name(), true);
    Measurements measurements(task);
    Random random(task.seed);
    std::vector<double> centre(task.space->decisions.size(), 0);  // exponents of 2
    const Candidate first = optimum(task, centre);
    measurements.mark(first);
    measurements.measure({first});
    bool exhausted = false;
    while (measurements.left() > 0 && !exhausted) {
      std::vector<std::vector<double>> proposals;
      std::vector<Candidate> list;
      propose(task, centre, random, measurements, proposals, list);
      exhausted = list.empty();
      const FoundNetwork before = *measurements.best();
      measurements.measure(list);
      for (std::size_t i = 0; i < list.size(); ++i)
        if (better(*measurements.best(), before) && measurements.best()->candidate == list[i])
          centre = proposals[i];
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    return measurements.finish(exhausted ? "no further coefficients led to new networks" : "", first,
                               seconds.count());
  }

 private:
  static Candidate optimum(const SearchTask& task, const std::vector<double>& exponents) {
    DecisionCosts costs = *task.costs;
    for (std::size_t d = 0; d < costs.size() && d < exponents.size(); ++d)
      for (double& c : costs[d]) c *= std::exp2(exponents[d]);
    return exact_choice(*task.space, *task.latency, costs, task.budget_us).candidate;
  }

  /// Up to `batch` changes of the centre that lead to networks not measured yet.
  static void propose(const SearchTask& task, const std::vector<double>& centre, Random& random,
                      Measurements& measurements, std::vector<std::vector<double>>& proposals,
                      std::vector<Candidate>& list) {
    const double done = double(measurements.visited().size()) / task.evaluations;
    for (int repeats = 0;
         repeats < most_repeats && int(list.size()) < std::min(batch, measurements.left());) {
      if (task.stop && task.stop()) break;
      // Repeats reach out again: a neighbourhood that holds nothing new is too small.
      const double wide = std::max(1 - done, double(repeats) / most_repeats);
      std::vector<double> proposal = changed(centre, wide, random);
      Candidate candidate = optimum(task, proposal);
      if (!measurements.mark(candidate)) {
        ++repeats;
        continue;
      }
      repeats = 0;
      proposals.push_back(std::move(proposal));
      list.push_back(std::move(candidate));
    }
  }

  /// `wide` falls from 1 to 0: the share of the coefficients and how far they move.
  static std::vector<double> changed(std::vector<double> exponents, double wide, Random& random) {
    const int count = int(exponents.size());
    const int changes = std::max(1, int(std::lround(first_share * wide * count)));
    const double reach = last_reach + (first_reach - last_reach) * wide;
    for (int i = 0; i < changes; ++i) {
      double& e = exponents[std::size_t(random.below(count))];
      e = std::clamp(e + reach * (2 * random.uniform() - 1), -most_exponent, most_exponent);
    }
    return exponents;
  }
};

}  // namespace

std::unique_ptr<SearchEngine> make_reweighted_engine() {
  return std::make_unique<ReweightedEngine>();
}

}  // namespace twofour::nas
