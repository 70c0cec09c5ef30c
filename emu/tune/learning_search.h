#pragma once
#include "twofour/emu/tune/search.h"

namespace twofour::emu {

/// A search that learns while it tries, in the manner of AutoTVM (Chen et al., NeurIPS 2018) with the
/// distinctive candidates of Choi et al. (arXiv 2202.06819). First some schedules at random are timed. Then,
/// batch by batch: boosted trees learn log time from the schedules timed so far;
/// simulated annealing walks the space under their prediction, from the best schedules timed and from random
/// ones; of the untried schedules that it found promising a batch is picked that is predicted fast and whose
/// members differ from one another; a fifth of each batch is drawn at random. The prediction never calls the
/// evaluator and knows nothing of the latency model (features.h). The same seed and the same times give the
/// same search.
SearchResult learning_search(const ScheduleSpace& space, const TuningTask& task, const isa::Machine& machine,
                             const Evaluator& evaluator, const SearchLimits& limits);

/// Greedy choice of `count` of the pool (indices into the space, their scores beside them, higher is better):
/// the next is the one of the highest score plus `weight` times its distance, the share of axes in which it
/// differs from the nearest one chosen. Returns indices into the space; all of the pool where it is too
/// small.
std::vector<std::size_t> pick_distinct(const ScheduleSpace& space, const std::vector<std::size_t>& pool,
                                       const std::vector<double>& scores, std::size_t count, double weight);

}  // namespace twofour::emu
