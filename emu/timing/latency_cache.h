#pragma once
#include <span>

#include "twofour/emu/timing/latency_map.h"
#include "twofour/isa/error.h"

namespace twofour::emu {

/// A problem of a batch that the model refuses.
class BatchError : public Error {
 public:
  BatchError(std::size_t index_, const std::string& message) : Error(message), index(index_) {}
  std::size_t index;  ///< in the span; the lowest of those refused
};

/// Latencies of GEMMs on one machine, each computed once: what a network search asks again and again. Any
/// number of threads may call it. It keeps about 300 bytes a problem and forgets none.
class LatencyCache {
 public:
  explicit LatencyCache(isa::Machine machine, const TimingConstants& constants = fitted_constants);

  /// As gemm_latency, bit for bit; throws its Error, and then nothing is kept. The reference lives as long as
  /// the cache.
  const Latency& latency(const GemmProblem& problem) {
    const Latency* known = map_.find(problem);
    return known != nullptr ? *known : computed(problem);
  }
  double microseconds(const GemmProblem& problem) { return latency(problem).microseconds; }

  /// microseconds() of every problem, on all cores. The spans are of one length. Throws BatchError after the
  /// other problems are done.
  void microseconds(std::span<const GemmProblem> problems, std::span<double> out);

  /// Problems computed so far.
  std::size_t size() const { return map_.size(); }
  const isa::Machine& machine() const { return machine_; }

 private:
  const Latency& computed(const GemmProblem& problem);

  isa::Machine machine_;
  TimingConstants constants_;
  LatencyMap map_;
};

}  // namespace twofour::emu
