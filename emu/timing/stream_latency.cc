#include "twofour/emu/timing/stream_latency.h"

#include <algorithm>
#include <cmath>

#include "twofour/emu/timing/error_band.h"
#include "twofour/emu/timing/kernel_time.h"

namespace twofour::emu {
Latency stream_latency(const StreamProblem& problem, const isa::Machine& machine,
                       const TimingConstants& constants) {
  const double dram =
      problem.dram_bytes / (machine.bytes_per_clk(machine.dram_read_gbs) * constants.dram_efficiency);
  const double l2 = problem.l2_bytes / (machine.bytes_per_clk(machine.l2_read_gbs) * constants.l2_efficiency);
  const double cores = problem.fma / (machine.fp32_lanes * machine.sms);
  const double p = constants.chip_overlap;
  const double overlapped = std::pow(std::pow(dram, p) + std::pow(l2, p) + std::pow(cores, p), 1 / p);
  const double cycles = machine.dram_latency + overlapped;

  Latency latency;
  latency.cycles = cycles + machine.cold_start_cycles;
  latency.launch_us = launch_us(problem.launch, isa::ElementType::f16, false, machine, constants) +
                      machine.cold_start_cycles / machine.boost_mhz;
  latency.microseconds = cycles / machine.boost_mhz + latency.launch_us;
  latency.dram_floor_us = problem.dram_bytes / (machine.dram_read_gbs * 1e3);
  if (latency.launch_us * machine.boost_mhz > cycles)
    latency.bound = Bound::launch;
  else if (cores > std::max(dram, l2))
    latency.bound = Bound::cuda_cores;
  else
    latency.bound = dram >= l2 ? Bound::dram : Bound::l2;
  add_band(latency, {.m = 1, .n = 1, .k = 1, .type = isa::ElementType::f16}, machine);
  return latency;
}

}  // namespace twofour::emu
