#include "twofour/nas/search/search_engine.h"

namespace twofour::nas {

std::vector<Measurement> Evaluator::measure_each(const std::vector<Candidate>& candidates,
                                                 const MeasureEvents& events) {
  std::vector<Measurement> measurements;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    events.begin(i, 0);
    measurements.push_back(measure({candidates[i]}).at(0));
    events.done(i, measurements.back());
  }
  return measurements;
}

}  // namespace twofour::nas
