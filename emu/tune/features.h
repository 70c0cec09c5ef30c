#pragma once
#include <vector>

#include "twofour/emu/tune/space.h"

namespace twofour::emu {

/// What a cost model sees of each schedule of a space: logarithms of sizes, counts of CTAs, waves and
/// k-chunks, what a CTA takes of an SM, how much of the tiles lies outside the matrix. All of it is geometry;
/// none of it is a time or a bandwidth, and the latency model is not asked. Each feature is cut into at most
/// 32 bins of about equally many schedules, whatever its scale.
class BinnedFeatures {
 public:
  static constexpr std::size_t bins = 16;

  BinnedFeatures(const ScheduleSpace& space, const TuningTask& task, const isa::Machine& machine);

  std::size_t rows() const { return rows_; }
  std::size_t columns() const { return columns_; }
  /// The bins of a schedule's features, columns() of them, each below `bins`.
  const std::uint8_t* row(std::size_t schedule) const { return bins_.data() + schedule * columns_; }

 private:
  std::size_t rows_, columns_;
  std::vector<std::uint8_t> bins_;
};

/// The features before binning, in their order; for tests and views.
std::vector<float> schedule_features(const Schedule& schedule, const TuningTask& task,
                                     const isa::Machine& machine);

}  // namespace twofour::emu
