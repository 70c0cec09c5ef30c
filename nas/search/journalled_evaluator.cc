#include <set>

#include "twofour/nas/search/journal.h"

namespace twofour::nas {

std::vector<Measurement> JournalledEvaluator::measure(const std::vector<Candidate>& candidates) {
  std::vector<Candidate> rest;
  std::set<Candidate> in_rest;
  for (const Candidate& candidate : candidates)
    if (!journal_.find(candidate) && in_rest.insert(candidate).second) rest.push_back(candidate);
  const MeasureEvents events{.begin = [&](std::size_t index, int rank) { journal_.begin(rest[index], rank); },
                             .done =
                                 [&](std::size_t index, const Measurement& measurement) {
                                   journal_.finish(rest[index], measurement);
                                   ++measured_;
                                 }};
  if (!rest.empty()) evaluator_.measure_each(rest, events);
  recalled_ += std::int64_t(candidates.size() - rest.size());
  std::vector<Measurement> measurements;
  for (const Candidate& candidate : candidates) measurements.push_back(journal_.find(candidate).value());
  return measurements;
}

}  // namespace twofour::nas
