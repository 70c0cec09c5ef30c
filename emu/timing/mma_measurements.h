#pragma once
#include <string>
#include <vector>

#include "twofour/emu/timing/sm_microbench.h"

namespace twofour::emu {

/// What a published number of an mma loop counts.
enum class MmaQuantity : std::uint8_t {
  completion_latency,  ///< cycles of an iteration of one warp with one mma
  iteration,           ///< cycles of an iteration
  throughput           ///< multiply-adds a cycle of an SM, as if A were dense
};
std::string_view name(MmaQuantity quantity);

/// One number of data/timing/mma_latency_a100.csv and the loop that it was measured with.
struct MmaMeasurement {
  const isa::Instruction* instruction;
  int warps, independent;
  MmaQuantity quantity;
  double published;
  bool doubtful;       ///< not compared: the remark says why
  std::string remark;  ///< empty, or what the file does not say about the number
};

/// The measured numbers of a file; rows marked as estimates are left out. Throws Error naming file and line.
std::vector<MmaMeasurement> load_mma_measurements(const std::string& path);

/// The same quantity, simulated.
double simulate(const MmaMeasurement& measurement, const isa::Machine& machine,
                const PipelineConstants& constants = {});

}  // namespace twofour::emu
