// Loops of mma as PTX against the published latencies and rates of an A100.
#include <gtest/gtest.h>

#include "timed_device.h"
#include "twofour/emu/timing/mma_measurements.h"

namespace twofour::emu::profile::test {
namespace {

double of_chain(const MmaMeasurement& m) {
  const double cycles = mma_loop_cycles({m.instruction, m.warps, m.independent, 64});
  if (m.quantity != MmaQuantity::throughput) return cycles;
  return double(m.instruction->fma()) * m.warps * m.independent / cycles;
}

TEST(CycleMmaLoops, AsNearToPublishedOnesAsThePipelineIs) {
  const auto machine = isa::load_machine("a100-sxm4-80gb");
  for (const auto& m : load_mma_measurements(TWOFOUR_TIMING_DATA "/mma_latency_a100.csv")) {
    const double pipeline = simulate(m, machine), chain = of_chain(m);
    printf("%-32s %2d x %d %-20s %8.1f %8.1f %8.1f %+.1f %% %+.1f %%\n",
           isa::short_name(*m.instruction).c_str(), m.warps, m.independent,
           std::string(name(m.quantity)).c_str(), m.published, pipeline, chain,
           100 * (pipeline / m.published - 1), 100 * (chain / m.published - 1));
  }
}

}  // namespace
}  // namespace twofour::emu::profile::test
