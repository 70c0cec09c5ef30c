#include <algorithm>
#include <chrono>

#include "twofour/isa/error.h"
#include "twofour/nas/search/engine_tools.h"
#include "twofour/nas/search/space_problem.h"

namespace twofour::nas {
namespace {

constexpr int batch = 16;          ///< of children that are measured together, whatever measures them
constexpr int population = 32;     ///< the best so far, parents of the next children
constexpr int tournament = 3;      ///< parents are the best of so many
constexpr int most_repeats = 200;  ///< children in a row that are known
constexpr double near = 0.9;       ///< of the budget: random networks of the first population

/// Elitist evolution: parents are chosen among the best 32 networks measured so far by tournaments of three;
/// half of the children mix two parents decision by decision; every decision then changes at random, on
/// average one and a half a child. Children above the budget are moved within it (BudgetMoves::shrink). The
/// first population holds the exact solutions at 100, 95 and 90 % of the budget, where there are costs, and
/// random networks near the budget.
class EvolutionEngine final : public SearchEngine {
 public:
  std::string_view name() const override { return "evolution"; }

  SearchResult run(const SearchTask& task) override {
    const auto start = std::chrono::steady_clock::now();
    check_task(task, name(), false);
    const BudgetMoves moves(*task.space, *task.latency, task.budget_us);
    Measurements measurements(task);
    Random random(task.seed);
    const auto seeds = first_population(task, moves, measurements, random);
    for (std::size_t i = 0; i < seeds.size() && measurements.left() > 0; i += batch)
      measurements.measure({seeds.begin() + std::ptrdiff_t(i),
                            seeds.begin() + std::ptrdiff_t(std::min(seeds.size(), i + batch))});
    bool exhausted = false;
    while (measurements.left() > 0 && !exhausted) {
      const auto list = children(*task.space, moves, measurements, random);
      exhausted = list.empty();
      measurements.measure(list);
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    return measurements.finish(exhausted ? "no further networks were found" : "", moves.fastest(),
                               seconds.count());
  }

 private:
  static std::vector<Candidate> first_population(const SearchTask& task, const BudgetMoves& moves,
                                                 Measurements& measurements, Random& random) {
    std::vector<Candidate> list;
    const double least = moves.us(moves.fastest());
    if (task.costs)
      for (const double share : {1.0, 0.95, 0.9}) {
        if (share * task.budget_us < least) continue;
        Candidate c = exact_choice(*task.space, *task.latency, *task.costs, share * task.budget_us).candidate;
        if (measurements.mark(c)) list.push_back(std::move(c));
      }
    const int size = std::min(population, std::max(2, task.evaluations / 3));
    for (int repeats = 0; int(list.size()) < size && repeats < most_repeats;) {
      Candidate c = moves.draw(random);
      moves.shrink(c, random);
      if (repeats < most_repeats / 2) moves.grow(c, near * task.budget_us, random);
      const bool is_new = measurements.mark(c);
      repeats = is_new ? 0 : repeats + 1;
      if (is_new) list.push_back(std::move(c));
    }
    return list;
  }

  static std::vector<Candidate> children(const Space& space, const BudgetMoves& moves,
                                         Measurements& measurements, Random& random) {
    std::vector<const FoundNetwork*> parents;
    for (const FoundNetwork& n : measurements.visited()) parents.push_back(&n);
    std::ranges::stable_sort(parents,
                             [](const FoundNetwork* a, const FoundNetwork* b) { return better(*a, *b); });
    if (parents.size() > population) parents.resize(population);
    std::vector<Candidate> list;
    for (int repeats = 0;
         repeats < most_repeats && int(list.size()) < std::min(batch, measurements.left());) {
      Candidate child = choose(parents, random).candidate;
      if (random.below(2) == 0) mix(child, choose(parents, random).candidate, random);
      mutate(space, child, 1.5 + 0.1 * repeats, random);
      moves.shrink(child, random);
      const bool is_new = measurements.mark(child);
      repeats = is_new ? 0 : repeats + 1;
      if (is_new) list.push_back(std::move(child));
    }
    return list;
  }

  static const FoundNetwork& choose(const std::vector<const FoundNetwork*>& parents, Random& random) {
    int best = int(parents.size());
    for (int i = 0; i < tournament; ++i) best = std::min(best, random.below(int(parents.size())));
    return *parents[std::size_t(best)];
  }

  static void mix(Candidate& child, const Candidate& other, Random& random) {
    for (std::size_t d = 0; d < child.size(); ++d)
      if (random.below(2) == 0) child[d] = other[d];
  }

  /// Changes `changes` decisions on average.
  static void mutate(const Space& space, Candidate& child, double changes, Random& random) {
    for (std::size_t d = 0; d < child.size(); ++d) {
      const int count = space.decisions[d].count();
      if (count > 1 && random.uniform() * double(child.size()) < changes)
        child[d] = (child[d] + 1 + random.below(count - 1)) % count;
    }
  }
};

}  // namespace

std::unique_ptr<SearchEngine> make_evolution_engine() {
  return std::make_unique<EvolutionEngine>();
}

}  // namespace twofour::nas
