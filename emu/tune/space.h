#pragma once
#include <array>
#include <optional>
#include <random>
#include <vector>

#include "twofour/emu/tune/task.h"

namespace twofour::emu {

/// The choices that make a schedule space. `shares` are 1: data-parallel, 0: stream-K, more: split-k.
struct ScheduleAxes {
  std::vector<int> m{16, 32, 64, 128, 256}, n{16, 32, 64, 128, 256}, k_bytes{32, 64, 128, 256};
  std::vector<int> stages{2, 3, 4, 5, 6, 8, 10}, warps_m{1, 2, 4, 8}, warps_n{1, 2, 4, 8};
  std::vector<int> shares{0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32}, raster_columns{1, 2, 4, 8, 16};
  int most_warps = 8;        ///< of a CTA
  int most_ctas_per_sm = 8;  ///< that split-k may start, all waves together; more only add partial sums
};

/// All legal schedules of a task on a machine, in one fixed order. It holds every published tile (tiles.h)
/// that fits. The alignment is no choice: it is the task's.
class ScheduleSpace {
 public:
  static constexpr std::size_t axis_count = 8;
  using Position =
      std::array<std::uint8_t, axis_count>;  ///< m, n, k, stages, warps m, warps n, share, raster

  /// Throws Error when the space is empty.
  ScheduleSpace(const TuningTask& task, const isa::Machine& machine, const ScheduleAxes& axes = {});

  std::size_t size() const { return schedules_.size(); }
  const Schedule& operator[](std::size_t index) const { return schedules_[index]; }
  const Position& position(std::size_t index) const { return positions_[index]; }
  std::optional<std::size_t> find(const Schedule& schedule) const;

  /// A legal schedule that differs in one axis or two: a move of the search. Returns `index` where it finds
  /// none.
  std::size_t neighbour(std::size_t index, std::mt19937_64& random) const;

  /// The axes in words; with the legality rules' number it is the version that a cache keeps.
  const std::string& version() const { return version_; }

 private:
  static constexpr std::int32_t none = -1;
  std::size_t code(const Position& position) const;
  Schedule schedule_at(const Position& position) const;

  std::array<std::vector<int>, axis_count> axes_;
  int alignment_;
  std::vector<Schedule> schedules_;
  std::vector<Position> positions_;
  std::vector<std::int32_t> index_of_;  ///< by code; none: not legal
  std::string version_;
};

/// A number below `bound`, the same with every standard library (uniform_int_distribution is not).
std::size_t below(std::size_t bound, std::mt19937_64& random);

/// "128x64x128b 2x2 s4 split3 r8 a16": tile with k in bytes, warps, stages, dp | splitN | stream, raster
/// columns, alignment.
std::string to_text(const Schedule& schedule);
/// The schedule of that text; throws Error.
Schedule parse_schedule(const std::string& text);

}  // namespace twofour::emu
