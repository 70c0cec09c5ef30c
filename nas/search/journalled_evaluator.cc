#include <chrono>
#include <set>

#include "twofour/nas/search/journal.h"

namespace twofour::nas {

std::vector<Measurement> JournalledEvaluator::measure(const std::vector<Candidate>& candidates) {
  std::vector<Candidate> rest;
  std::set<Candidate> in_rest;
  for (const Candidate& candidate : candidates)
    if (journal_.find(candidate))
      recalled_seconds_ += journal_.seconds(candidate);
    else if (in_rest.insert(candidate).second)
      rest.push_back(candidate);
  auto last = std::chrono::steady_clock::now();
  const MeasureEvents events{.begin = [&](std::size_t index, int rank) { journal_.begin(rest[index], rank); },
                             .done =
                                 [&](std::size_t index, const Measurement& measurement) {
                                   const auto now = std::chrono::steady_clock::now();
                                   journal_.finish(rest[index], measurement,
                                                   std::chrono::duration<double>(now - last).count());
                                   last = now;
                                   ++measured_;
                                 }};
  if (!rest.empty()) evaluator_.measure_each(rest, events);
  recalled_ += std::int64_t(candidates.size() - rest.size());
  std::vector<Measurement> measurements;
  for (const Candidate& candidate : candidates) measurements.push_back(journal_.find(candidate).value());
  return measurements;
}

}  // namespace twofour::nas
