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

TEST(CycleMmaLoops, WithinFivePercentOfPublishedOnes) {
  int compared = 0;
  for (const auto& m : load_mma_measurements(TWOFOUR_TIMING_DATA "/mma_latency_a100.csv")) {
    if (m.doubtful) continue;
    ++compared;
    EXPECT_NEAR(of_chain(m) / m.published, 1, 0.05)
        << isa::short_name(*m.instruction) << ", " << m.warps << " warps x " << m.independent << ", "
        << name(m.quantity);
  }
  EXPECT_GT(compared, 60);
}

}  // namespace
}  // namespace twofour::emu::profile::test
