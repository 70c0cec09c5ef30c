#include <chrono>
#include <cmath>

#include "twofour/isa/error.h"
#include "twofour/nas/search/engine_tools.h"
#include "twofour/nas/search/space_problem.h"

namespace twofour::nas {
namespace {

std::string note_of(double gap, double cost) {
  if (gap == 0) return "optimal";
  if (cost == 0) return fmt::format("optimal to {:.2g}", gap);
  return fmt::format("optimal to {:.2g} ({:.2g} % of its cost)", gap, 100 * gap / std::abs(cost));
}

/// The least sum of costs within the budget.
class ExactEngine final : public SearchEngine {
 public:
  std::string_view name() const override { return "exact"; }

  SearchResult run(const SearchTask& task) override {
    const auto start = std::chrono::steady_clock::now();
    check_task(task, name(), true);
    EliminationLimits limits;
    limits.stop = task.stop;
    ExactChoice choice = exact_choice(*task.space, *task.latency, *task.costs, task.budget_us, limits);
    SearchResult result;
    const double cost = predicted_cost(*task.costs, choice.candidate);
    result.best = {choice.candidate, task.latency->us(choice.candidate), cost, std::nullopt};
    result.stopped = choice.stopped;
    result.note = note_of(choice.gap, cost);
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (task.progress) task.progress({1, 1, &result.best});
    return result;
  }
};

}  // namespace

std::unique_ptr<SearchEngine> make_exact_engine() {
  return std::make_unique<ExactEngine>();
}

}  // namespace twofour::nas
