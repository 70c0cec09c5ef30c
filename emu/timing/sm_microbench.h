#pragma once
#include "twofour/emu/timing/sm_report.h"
#include "twofour/isa/instruction.h"

namespace twofour::emu {

/// The loop with which mma is measured: each warp of one CTA runs `independent` mma, each into its own
/// accumulator, then counts, compares and branches back.
struct MmaLoop {
  const isa::Instruction* instruction = nullptr;
  int warps = 4;
  int independent = 1;
  std::int64_t iterations = 1024;
};

struct MmaLoopTime {
  double iteration_cycles;  ///< of the whole run over the iterations, as a clock around the loop measures
  double fma_per_clk;       ///< of the SM, counted as if A were dense
  double peak_fma_per_clk;  ///< of the type on the machine
  SmReport report;
};

/// One warp's stream: body, then exit. Throws Error where the registers of a lane do not suffice.
class MmaLoopStream {
 public:
  explicit MmaLoopStream(const MmaLoop& loop);
  const CtaStream& cta() const { return cta_; }

 private:
  std::vector<TimedOp> body_, end_;
  CtaStream cta_;
};

/// Runs the loop. Throws Error for counts below 1, more than 32 warps (a CTA has at most 1024 threads) and
/// what is no Tensor Core instruction of the machine.
MmaLoopTime time_mma_loop(const MmaLoop& loop, const isa::Machine& machine, SmListener* listener = nullptr,
                          const PipelineConstants& constants = {});

}  // namespace twofour::emu
