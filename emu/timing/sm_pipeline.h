#pragma once
#include <vector>

#include "twofour/emu/timing/sm_events.h"
#include "twofour/emu/timing/sm_parameters.h"
#include "twofour/emu/timing/sm_stream.h"

namespace twofour::emu {

/// CTAs for one SM, in order of launch. The first `resident` start at the rate at which the machine deals
/// CTAs to its SMs in turn; each later one starts when another ends. The streams stay with the caller.
struct SmWork {
  std::vector<const CtaStream*> ctas;
  int resident = 1;
};

struct SmTotals {
  std::int64_t cycles = 0;        ///< to the last issue
  std::int64_t instructions = 0;  ///< of warps
};

/// One SM, cycle by cycle, as a pure function of its arguments:
///  - four sub-cores (as many as the machine has), each issuing one instruction a cycle, greedy then
///  youngest;
///    a CTA's warps go to the sub-cores in turn;
///  - results of fixed latency are ready by cycle, others when their access completes; in order in a warp;
///  - the tensor pipe of a sub-core takes an mma every effective interval of isa/issue_timing.h;
///  - integer, FP32, FP64 and special-function pipes by their lanes;
///  - ldmatrix, LDS, STS and the data of cp.async share one server of wavefronts; global accesses pass the
///  L1,
///    L2 and DRAM servers of sm_memory.h; a sub-core's queues to both are short;
///  - cp.async groups and waits per warp, 16 barriers and occupancy per CTA. A barrier and a branch hold a
///  warp for
///    alu_latency, special functions come back alu_latency after their pipe: nobody has measured these.
/// Strict priority starves the oldest of many warps that loop without a barrier; whether the hardware's does
/// is not known. Left out: instruction fetch, register-bank conflicts, register reads of queued stores.
/// Throws Error for an mma that the machine lacks, a register above 263 and more warps than fit.
SmTotals run_sm(const SmWork& work, const SmParameters& parameters, SmListener& listener);

}  // namespace twofour::emu
