#include "twofour/emu/tune/features.h"

#include <algorithm>
#include <cmath>

#include "twofour/emu/tune/legality.h"

namespace twofour::emu {

std::vector<float> schedule_features(const Schedule& s, const TuningTask& task, const isa::Machine& machine) {
  const GemmProblem& p = task.gemm;
  const Tile& t = s.tile;
  const Footprint f = footprint(s, p);
  const double resident = resident_ctas(f, machine);
  const double rows = std::ceil(double(p.m) / t.m), columns = std::ceil(double(p.n) / t.n);
  const double chunks = std::ceil(double(p.k) / t.k(p.type)), tiles = rows * columns * double(p.batch);
  const double places = machine.sms * resident;
  const bool stream = s.decomposition == Decomposition::stream_k;
  const double ctas = stream ? std::min(places, tiles * chunks / 2) : tiles * s.splits;
  const double cta_chunks = stream ? tiles * chunks / ctas : std::ceil(chunks / s.splits);
  const double waves = ctas / places, per_sm = std::ceil(ctas / machine.sms);
  const double warp_m = double(t.m) / t.warps_m, warp_n = double(t.n) / t.warps_n;
  const auto log = [](double x) { return std::log2(std::max(x, 1e-9)); };
  const double values[] = {
      log(t.m),
      log(t.n),
      log(t.k_bytes),
      double(t.stages),
      log(t.warps_m),
      log(t.warps_n),
      log(warp_m),
      log(warp_n),
      double(s.decomposition),
      log(s.splits),
      log(s.raster_columns),
      f.shared_bytes,
      f.registers,
      resident,
      resident * f.warps,
      log(ctas),
      waves,
      waves / std::ceil(waves),
      per_sm,
      log(cta_chunks),
      double(p.m) / (rows * t.m),
      double(p.n) / (columns * t.n),
      columns / s.raster_columns,
      log(per_sm * cta_chunks * t.m * t.n * t.k_bytes),    // multiply-adds of the busiest SM
      log(per_sm * cta_chunks * (t.m + t.n) * t.k_bytes),  // operand bytes that it fills
      log(per_sm * cta_chunks * (double(t.m) * t.warps_n + double(t.n) * t.warps_m) *
          t.k_bytes),                                       // and reads
      log(per_sm * cta_chunks),                             // k-chunks that it steps through
      log(std::ceil(waves) * cta_chunks),                   // and one place of it
      log(std::ceil(waves) * cta_chunks / (t.stages - 1)),  // of which so many wait for memory
      log(per_sm * t.m * t.n),                              // results that it stores
      double(t.m) * t.n / (t.m + t.n),
      warp_m * warp_n / (warp_m + warp_n),
  };
  return {std::begin(values), std::end(values)};
}

BinnedFeatures::BinnedFeatures(const ScheduleSpace& space, const TuningTask& task,
                               const isa::Machine& machine)
    : rows_(space.size()),
      columns_(schedule_features(space[0], task, machine).size()),
      bins_(rows_ * columns_) {
  std::vector<std::vector<float>> values;
  for (std::size_t i = 0; i < rows_; ++i) values.push_back(schedule_features(space[i], task, machine));
  std::vector<float> sorted(rows_), edges;
  for (std::size_t column = 0; column < columns_; ++column) {
    for (std::size_t i = 0; i < rows_; ++i) sorted[i] = values[i][column];
    std::sort(sorted.begin(), sorted.end());
    edges.clear();
    for (std::size_t bin = 1; bin < bins; ++bin) edges.push_back(sorted[bin * rows_ / bins]);
    edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
    for (std::size_t i = 0; i < rows_; ++i) {
      const auto bin = std::upper_bound(edges.begin(), edges.end(), values[i][column]) - edges.begin();
      bins_[i * columns_ + column] = static_cast<std::uint8_t>(bin);
    }
  }
}

}  // namespace twofour::emu
