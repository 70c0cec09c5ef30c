#include "toy_search.h"

#include <random>

namespace twofour::nas {

Measurement toy_measurement(const Candidate& candidate) {
  std::uint32_t state = 12345;
  for (const int index : candidate) state = (state ^ std::uint32_t(index)) * 2654435761u + 97u;
  return {1.0 / (1 + state % 100003), (state >> 7) % 1000 / 1000.0};
}

std::vector<Measurement> ToyEvaluator::measure(const std::vector<Candidate>& candidates) {
  std::vector<Measurement> measurements;
  for (const Candidate& candidate : candidates) {
    on_call_(candidate);
    measurements.push_back(toy_measurement(candidate));
  }
  return measurements;
}

std::vector<std::pair<Candidate, Measurement>> toy_search(Evaluator& evaluator, int rounds, int batch) {
  std::vector<std::pair<Candidate, Measurement>> visited;
  std::mt19937 random(7);
  Candidate best(6, 0);
  double least = 2;
  for (int round = 0; round < rounds; ++round) {
    std::vector<Candidate> candidates(std::size_t(batch), best);
    for (Candidate& c : candidates) c[random() % c.size()] = int(random() % 4);
    const auto measurements = evaluator.measure(candidates);
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      visited.emplace_back(candidates[i], measurements.at(i));
      if (measurements[i].loss < least) best = candidates[i], least = measurements[i].loss;
    }
  }
  return visited;
}

}  // namespace twofour::nas
