#pragma once
#include <vector>

#include "twofour/emu/timing/sm_warp.h"
#include "twofour/isa/machine.h"

namespace twofour::emu {

/// Interval and latency of the rows of the instruction table, looked up once.
class MmaTimes {
 public:
  struct Times {
    Ticks interval = 0, latency = 0;
  };
  /// The machine must outlive this.
  explicit MmaTimes(const isa::Machine& machine);
  /// Throws Error for what is no row of the table or not in the machine.
  Times operator()(const isa::Instruction& i);

 private:
  const isa::Machine& machine_;
  std::vector<Times> times_;
};

/// Places between issue and a shared pipe: an instruction takes one until it leaves.
class Queue {
 public:
  explicit Queue(int places) : leaves_(static_cast<std::size_t>(places), 0) {}
  Ticks free_at() const { return leaves_[next_]; }
  void push(Ticks leaves) {
    leaves_[next_] = leaves;
    next_ = (next_ + 1) % leaves_.size();
  }

 private:
  std::vector<Ticks> leaves_;  ///< of the last instructions, in a ring
  std::size_t next_ = 0;
};

/// A quarter of an SM: its warps, and when its pipes and queues take another instruction.
struct SubCore {
  explicit SubCore(int places) : shared(places), global(places) {}

  /// When the pipe or queue of a kind of operation takes another one; 0 for those that need none.
  Ticks free_at(OpKind kind) const;

  std::vector<WarpState*> warps;                                   ///< oldest first
  WarpState* last = nullptr;                                       ///< issued last
  Ticks tensor = 0, integer = 0, fp32 = 0, fp64 = 0, special = 0;  ///< free from
  Queue shared, global;
  std::int64_t visit = 0;  ///< next cycle in which something may issue
};

/// What a warp waits for while the pipe or queue of its operation is taken.
Stall throttle(OpKind kind);

}  // namespace twofour::emu
