#include "twofour/emu/timing/sm_report.h"

#include <fmt/format.h>

#include <algorithm>

namespace twofour::emu {

double SmReport::ipc() const {
  return totals.cycles > 0 ? static_cast<double>(totals.instructions) / static_cast<double>(totals.cycles)
                           : 0;
}

double SmReport::utilisation(Pipe pipe) const {
  const bool shared =
      pipe == Pipe::shared_memory || pipe == Pipe::l1 || pipe == Pipe::l2 || pipe == Pipe::dram;
  const double units = shared ? 1 : sub_cores;
  if (totals.cycles == 0) return 0;
  return busy_cycles[static_cast<std::size_t>(pipe)] / (units * static_cast<double>(totals.cycles));
}

Pipe SmReport::busiest() const {
  auto best = Pipe::tensor;
  for (int p = static_cast<int>(Pipe::tensor); p < pipes; ++p)
    if (utilisation(static_cast<Pipe>(p)) > utilisation(best)) best = static_cast<Pipe>(p);
  return best;
}

Stall SmReport::dominant_stall() const {
  return static_cast<Stall>(std::max_element(stall_cycles.begin(), stall_cycles.end()) -
                            stall_cycles.begin());
}

std::string SmReport::bound() const {
  const double busy = utilisation(busiest());
  if (busy >= 0.95) return fmt::format("{} pipe", name(busiest()));
  return fmt::format("latency: {} ({} pipe {:.0f} % busy)", name(dominant_stall()), name(busiest()),
                     100 * busy);
}

SmCounter::SmCounter(const SmParameters& parameters) {
  report_.sub_cores = static_cast<int>(parameters.machine.sub_cores_per_sm);
}

SmReport SmCounter::report(const SmTotals& totals) const {
  SmReport r = report_;
  r.totals = totals;
  for (std::size_t p = 0; p < busy_.size(); ++p)
    r.busy_cycles[p] = static_cast<double>(busy_[p]) / static_cast<double>(ticks_per_cycle);
  return r;
}

}  // namespace twofour::emu
