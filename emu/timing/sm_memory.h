#pragma once
#include "twofour/emu/timing/sm_events.h"
#include "twofour/emu/timing/sm_parameters.h"

namespace twofour::emu {

inline Ticks to_ticks(double cycles) {
  return static_cast<Ticks>(cycles * static_cast<double>(ticks_per_cycle) + 0.5);
}
/// First cycle that is not before a time.
inline std::int64_t cycle_of(Ticks t) {
  return (t + ticks_per_cycle - 1) / ticks_per_cycle;
}

/// One resource that serves requests in the order in which they come.
class Server {
 public:
  /// Start of the service of a request that comes at `at` and takes `busy`.
  Ticks serve(Ticks at, Ticks busy) {
    const Ticks start = at > free_ ? at : free_;
    free_ = start + busy;
    return start;
  }

 private:
  Ticks free_ = 0;
};

/// The memory that the sub-cores of an SM share: shared memory by wavefronts; L1, L2 and DRAM by bytes, each
/// with a latency behind its bandwidth.
class SmMemory {
 public:
  SmMemory(const SmParameters& parameters, SmListener& listener);

  struct Access {
    Ticks leaves;  ///< the request frees its place in the queue of its sub-core: a read when L1 has looked it
                   ///< up, a store when L2 takes it, or DRAM where L2 is full of what was stored before
    Ticks ready;   ///< data in registers; cp.async: data at the shared memory's door
  };
  /// ldmatrix, LDS and STS.
  Access shared(Ticks at, int wavefronts, bool store);
  /// LDG, STG and cp.async of some bytes.
  Access global(Ticks at, int bytes, OpKind kind);
  /// Data of a cp.async that have arrived: when they may be read from shared memory.
  Ticks copy_in(Ticks at, int wavefronts);

 private:
  Ticks serve(Server& server, Pipe pipe, Ticks at, Ticks busy);
  /// Spreads hits evenly: true for a share `hit` of the bytes.
  static bool hits(double& debt, int bytes, double hit);

  SmListener& listener_;
  MemoryShare share_;
  Server shared_, l1_, l2_, dram_;
  double l1_debt_ = 0, l2_debt_ = 0;
  Ticks wavefront_, shared_latency_, wavefront_latency_, store_latency_, copy_latency_;
  Ticks l1_latency_, l2_latency_, dram_latency_;
  double l1_ticks_, l2_ticks_, dram_ticks_;  ///< a byte
};

}  // namespace twofour::emu
