#pragma once
#include <cstdint>
#include <string_view>

#include "twofour/emu/timing/timed_op.h"

namespace twofour::emu {

/// Time within an SM, in fractions of a cycle: intervals of mma are no whole numbers.
using Ticks = std::int64_t;
inline constexpr Ticks ticks_per_cycle = 1024;

/// Why a warp does not issue in a cycle, by the names of Nsight Compute's warp states.
enum class Stall : std::uint8_t {
  wait,                ///< a result of fixed latency: ALU, FP32, mma
  short_scoreboard,    ///< a result of shared memory or of the special-function unit
  long_scoreboard,     ///< a result of L1, L2 or DRAM; cp.async groups
  barrier,             ///< other warps of the CTA
  branch_resolving,    ///< the target of a branch
  math_pipe_throttle,  ///< the pipe of the instruction is busy
  mio_throttle,        ///< the queue to shared memory is full
  lg_throttle,         ///< the queue to L1 is full
  not_selected         ///< it could issue, another warp of its sub-core did
};
inline constexpr int stalls = 9;
std::string_view name(Stall stall);

/// What works inside an SM, for utilisation.
enum class Pipe : std::uint8_t { issue, tensor, integer, fp32, fp64, special, shared_memory, l1, l2, dram };
inline constexpr int pipes = 10;
std::string_view name(Pipe pipe);

/// The name of an operation: SASS-like for mma and ldmatrix, "cp.async", "barrier", ...
std::string_view name(OpKind kind);

/// Who issues: `cta` counts from 0 in order of launch, `warp` from 0 within its CTA, `slot` is its place in
/// the SM.
struct WarpId {
  int cta, warp, slot, sub_core;
};

struct IssueEvent {
  WarpId warp;
  const TimedOp* op;
  std::int64_t index;  ///< of the instruction in its warp's stream
  std::int64_t cycle;
  std::int64_t complete;  ///< cycle when its result may be used; -1: not known yet
};

struct StallEvent {
  WarpId warp;
  const TimedOp* op;
  std::int64_t index;
  Stall reason;
  std::int64_t from, to;  ///< cycles [from, to) without issue
};

/// The copy of a cp.async has landed in shared memory.
struct CopyEvent {
  WarpId warp;
  const TimedOp* op;
  std::int64_t index;
  std::int64_t issued, complete;
};

/// A pipe takes work for some time. Sub-core: of tensor, integer, fp32, fp64, special and issue; else -1.
struct PipeEvent {
  Pipe pipe;
  int sub_core;
  Ticks from, busy;
};

/// A CTA starts or ends, or all its warps have met at a barrier.
struct CtaEvent {
  enum class Kind : std::uint8_t { launch, barrier, exit } kind;
  int cta;
  std::int64_t cycle;
};

/// Gets what happens in an SM, in order of time except that stalls come with the issue that ends them and
/// pipes when work is handed to them. The simulator never prints.
class SmListener {
 public:
  virtual ~SmListener() = default;
  virtual void on_issue(const IssueEvent&) {}
  virtual void on_stall(const StallEvent&) {}
  virtual void on_copy(const CopyEvent&) {}
  virtual void on_pipe(const PipeEvent&) {}
  virtual void on_cta(const CtaEvent&) {}
};

}  // namespace twofour::emu
