#include "twofour/nas/search/engine_tools.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "twofour/isa/error.h"
#include "twofour/nas/search/space_problem.h"

namespace twofour::nas {

BudgetMoves::BudgetMoves(const Space& space, const SpaceLatency& latency, double budget_us)
    : space_(space),
      latency_(latency),
      budget_us_(budget_us),
      fastest_(fastest_candidate(space, latency, budget_us)) {}

Candidate BudgetMoves::draw(Random& random) const {
  Candidate candidate;
  for (const Decision& d : space_.decisions) candidate.push_back(random.below(d.count()));
  return candidate;
}

/// The network's latency with each value of a decision.
std::vector<double> BudgetMoves::latencies(Candidate& candidate, int decision) const {
  int& value = candidate[std::size_t(decision)];
  const int before = value;
  std::vector<double> all;
  for (value = 0; value < space_.decisions[std::size_t(decision)].count(); ++value)
    all.push_back(us(candidate));
  value = before;
  return all;
}

/// Calls step(latencies by value, present latency) for decisions in random order until it returns -1 for all
/// of them in a row, or -2: enough. Other results are the decision's new value.
template <class Step>
void BudgetMoves::move(Candidate& candidate, Random& random, const Step& step) const {
  std::vector<int> order(candidate.size());
  std::iota(order.begin(), order.end(), 0);
  random.shuffle(order);
  for (std::size_t i = 0; i < order.size(); ++i) {
    const double now = us(candidate);
    const int value = step(latencies(candidate, order[i]), now);
    if (value == -2) return;
    if (value < 0) continue;
    candidate[std::size_t(order[i])] = value;
    random.shuffle(order);
    i = std::size_t(-1);
  }
}

void BudgetMoves::shrink(Candidate& candidate, Random& random) const {
  move(candidate, random, [&](const std::vector<double>& all, double now) {
    if (now <= budget_us_) return -2;
    int best = -1;
    for (int v = 0; v < int(all.size()); ++v)
      if (all[std::size_t(v)] < now && (best < 0 || all[std::size_t(v)] > all[std::size_t(best)])) best = v;
    return best;
  });
  std::vector<int> order(candidate.size());
  std::iota(order.begin(), order.end(), 0);
  random.shuffle(order);
  for (std::size_t i = 0; us(candidate) > budget_us_; ++i)
    candidate[std::size_t(order[i])] = fastest_[std::size_t(order[i])];
}

void BudgetMoves::grow(Candidate& candidate, double least_us, Random& random) const {
  move(candidate, random, [&](const std::vector<double>& all, double now) {
    if (now >= least_us) return -2;
    std::vector<int> fit;
    for (int v = 0; v < int(all.size()); ++v)
      if (all[std::size_t(v)] > now && all[std::size_t(v)] <= budget_us_) fit.push_back(v);
    return fit.empty() ? -1 : fit[std::size_t(random.below(int(fit.size())))];
  });
}

bool better(const FoundNetwork& a, const FoundNetwork& b) {
  const auto loss = [](const FoundNetwork& n) {
    return !n.measured || std::isnan(n.measured->loss) ? std::numeric_limits<double>::infinity()
                                                       : n.measured->loss;
  };
  return loss(a) != loss(b) ? loss(a) < loss(b) : a.latency_us < b.latency_us;
}

void check_task(const SearchTask& task, std::string_view engine, bool needs_costs) {
  if (!task.space || !task.latency) fail("the {} search needs a space and its latencies", engine);
  if (needs_costs && !task.costs)
    fail("the {} search needs the cost of every value of every decision; measure the sensitivities first",
         engine);
}

Measurements::Measurements(const SearchTask& task) : task_(task) {
  if (!task.evaluator) fail("this search measures networks; give it an evaluator");
  if (task.evaluations < 1) fail("a search of {} evaluations; ask for at least 1", task.evaluations);
}

int Measurements::left() const {
  return result_.stopped ? 0 : task_.evaluations - int(result_.evaluations);
}

FoundNetwork Measurements::found(const Candidate& candidate) const {
  FoundNetwork network{candidate, task_.latency->us(candidate), std::nullopt, std::nullopt};
  if (task_.costs) network.predicted_cost = predicted_cost(*task_.costs, candidate);
  return network;
}

void Measurements::measure(const std::vector<Candidate>& batch) {
  if (task_.stop && task_.stop()) result_.stopped = true;
  const auto count = std::min(batch.size(), std::size_t(std::max(left(), 0)));
  if (count == 0) return;
  const std::vector<Candidate> asked(batch.begin(), batch.begin() + std::ptrdiff_t(count));
  const auto measured = task_.evaluator->measure(asked);
  if (measured.size() != count)
    fail("the evaluator returned {} measurements for {} networks", measured.size(), count);
  for (std::size_t i = 0; i < count; ++i) {
    result_.visited.push_back(found(asked[i]));
    result_.visited.back().measured = measured[i];
    if (best_ < 0 || better(result_.visited.back(), *best())) best_ = int(result_.visited.size()) - 1;
  }
  result_.evaluations += std::int64_t(count);
  if (task_.progress) task_.progress({result_.evaluations, task_.evaluations, best()});
}

SearchResult Measurements::finish(std::string note, const Candidate& otherwise, double seconds) {
  result_.best = best() ? *best() : found(otherwise);
  if (!result_.stopped) result_.note = std::move(note);
  result_.seconds = seconds;
  return std::move(result_);
}

}  // namespace twofour::nas
