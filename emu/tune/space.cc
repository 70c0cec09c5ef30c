#include "twofour/emu/tune/space.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>

#include "twofour/emu/tune/legality.h"
#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

constexpr int legality_rules = 1;  // goes up when a rule changes

/// Split-k that starts more CTAs than axes allow; the bound is the latency model's own for its list.
bool crowded(const Schedule& s, const GemmProblem& p, const isa::Machine& machine, int most_ctas_per_sm) {
  const double tiles = double(p.m) / s.tile.m * double(p.n) / s.tile.n * double(p.batch);
  return s.decomposition == Decomposition::split_k && tiles * s.splits > most_ctas_per_sm * machine.sms;
}

}  // namespace

ScheduleSpace::ScheduleSpace(const TuningTask& task, const isa::Machine& machine, const ScheduleAxes& a)
    : axes_{a.m, a.n, a.k_bytes, a.stages, a.warps_m, a.warps_n, a.shares, a.raster_columns},
      alignment_(task.alignment()) {
  version_ = fmt::format("rules {} axes {} warps {} ctas {}", legality_rules, axes_, a.most_warps,
                         a.most_ctas_per_sm);
  std::size_t codes = 1;
  for (const auto& axis : axes_) codes *= axis.size();
  index_of_.assign(codes, none);
  for (std::size_t c = 0; c < codes; ++c) {
    Position position;
    std::size_t rest = c;
    for (std::size_t axis = axis_count; axis-- > 0; rest /= axes_[axis].size())
      position[axis] = static_cast<std::uint8_t>(rest % axes_[axis].size());
    const Schedule schedule = schedule_at(position);
    if (schedule.tile.warps() > a.most_warps || crowded(schedule, task.gemm, machine, a.most_ctas_per_sm))
      continue;
    if (!illegality(schedule, task, machine).empty()) continue;
    index_of_[c] = static_cast<std::int32_t>(schedules_.size());
    schedules_.push_back(schedule);
    positions_.push_back(position);
  }
  if (schedules_.empty())
    fail("schedule space: no schedule of {} fits machine {}; its shared memory or registers are too small",
         isa::name(task.gemm.type), machine.name);
}

std::size_t ScheduleSpace::code(const Position& position) const {
  std::size_t code = 0;
  for (std::size_t axis = 0; axis < axis_count; ++axis) code = code * axes_[axis].size() + position[axis];
  return code;
}

Schedule ScheduleSpace::schedule_at(const Position& p) const {
  const auto value = [&](std::size_t axis) { return axes_[axis][p[axis]]; };
  const int share = value(6);
  Schedule s;
  s.tile = {value(0), value(1), value(2), value(3), value(4), value(5)};
  s.decomposition = share == 0   ? Decomposition::stream_k
                    : share == 1 ? Decomposition::data_parallel
                                 : Decomposition::split_k;
  s.splits = std::max(share, 1);
  s.raster_columns = value(7);
  s.alignment = alignment_;
  return s;
}

std::optional<std::size_t> ScheduleSpace::find(const Schedule& s) const {
  const int share = s.decomposition == Decomposition::stream_k ? 0 : s.splits;
  const std::array<int, axis_count> values{s.tile.m,       s.tile.n,       s.tile.k_bytes, s.tile.stages,
                                           s.tile.warps_m, s.tile.warps_n, share,          s.raster_columns};
  Position position;
  for (std::size_t axis = 0; axis < axis_count; ++axis) {
    const auto& choices = axes_[axis];
    const auto at = std::find(choices.begin(), choices.end(), values[axis]);
    if (at == choices.end()) return std::nullopt;
    position[axis] = static_cast<std::uint8_t>(at - choices.begin());
  }
  const std::int32_t index = index_of_[code(position)];
  if (index == none || schedules_[static_cast<std::size_t>(index)] != s) return std::nullopt;
  return static_cast<std::size_t>(index);
}

std::size_t ScheduleSpace::neighbour(std::size_t index, std::mt19937_64& random) const {
  constexpr int attempts = 64;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    Position position = positions_[index];
    const std::size_t changes = 1 + below(2, random);
    for (std::size_t change = 0; change < changes; ++change) {
      const std::size_t axis = below(axis_count, random);
      position[axis] = static_cast<std::uint8_t>(below(axes_[axis].size(), random));
    }
    const std::int32_t found = index_of_[code(position)];
    if (found != none && static_cast<std::size_t>(found) != index) return static_cast<std::size_t>(found);
  }
  return index;
}

std::size_t below(std::size_t bound, std::mt19937_64& random) {
  return static_cast<std::size_t>(random() % bound);
}

std::string to_text(const Schedule& s) {
  const std::string share = s.decomposition == Decomposition::stream_k  ? "stream"
                            : s.decomposition == Decomposition::split_k ? fmt::format("split{}", s.splits)
                                                                        : "dp";
  return fmt::format("{}x{}x{}b {}x{} s{} {} r{} a{}", s.tile.m, s.tile.n, s.tile.k_bytes, s.tile.warps_m,
                     s.tile.warps_n, s.tile.stages, share, s.raster_columns, s.alignment);
}

Schedule parse_schedule(const std::string& text) {
  Schedule s;
  char share[16] = "";
  Tile& t = s.tile;
  if (std::sscanf(text.c_str(), "%dx%dx%db %dx%d s%d %15s r%d a%d", &t.m, &t.n, &t.k_bytes, &t.warps_m,
                  &t.warps_n, &t.stages, share, &s.raster_columns, &s.alignment) == 9) {
    const std::string word = share;
    if (word == "stream") s.decomposition = Decomposition::stream_k;
    if (std::sscanf(share, "split%d", &s.splits) == 1) s.decomposition = Decomposition::split_k;
    if (to_text(s) == text) return s;
  }
  fail("schedule '{}' is not of the form '128x64x128b 2x2 s4 split3 r8 a16'", text);
}

}  // namespace twofour::emu
