#pragma once
#include <memory>
#include <vector>

#include "twofour/emu/timing/gemm_latency.h"
#include "twofour/isa/machine.h"
#include "twofour/nas/space/space.h"

namespace twofour::nas {

/// Which end of the latency model's band: 8 of 10 measured kernels lie between low and high.
enum class BandEnd : std::uint8_t { expected, low, high };

/// Latencies of every layer of a space in every form that a candidate can give it, filled at construction.
class SpaceLatency {
 public:
  SpaceLatency(const Space& space, const isa::Machine& machine, int batch);
  ~SpaceLatency();
  SpaceLatency(const SpaceLatency&) = delete;
  SpaceLatency& operator=(const SpaceLatency&) = delete;

  /// One layer of the candidate's network.
  const emu::Latency& layer(const Candidate& candidate, int layer) const;
  /// Sum over the layers in us: they run one after the other.
  double us(const Candidate& candidate, BandEnd end = BandEnd::expected) const;

 private:
  struct Tables;
  std::unique_ptr<Tables> tables_;
};

}  // namespace twofour::nas
