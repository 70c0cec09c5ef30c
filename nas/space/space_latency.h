#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "twofour/emu/timing/gemm_latency.h"
#include "twofour/isa/machine.h"
#include "twofour/nas/space/space.h"

namespace twofour::nas {

/// Which end of the latency model's band: 8 of 10 measured kernels lie between low and high.
enum class BandEnd : std::uint8_t { expected, low, high };

/// One layer in every form that a candidate can give it.
struct LayerForms {
  /// The decisions that form it, each once: option, kernel, width of its input, width of its output. The
  /// index of a form is choice[decisions[0]] + count[0] * (choice[decisions[1]] + count[1] * ...).
  std::vector<int> decisions;
  std::vector<Option> option;         ///< by form
  std::vector<emu::Latency> latency;  ///< by form, as the model gives them
  /// By form, in 2^-20 us (a picosecond), rounded to the nearest; at least 0. What us() adds up.
  std::vector<std::int64_t> units;
};

/// Units of LayerForms in a microsecond.
inline constexpr double latency_units = 1 << 20;

/// Latencies of every layer of a space in every form that a candidate can give it, filled at construction on
/// all cores. Sums are of whole units, so that they are exact and do not depend on the order of addition.
class SpaceLatency {
 public:
  SpaceLatency(const Space& space, const isa::Machine& machine, int batch);
  /// From another source of latencies: called once for layers of equal shape, from any number of threads.
  SpaceLatency(const Space& space, const std::function<emu::Latency(const Layer&, Option)>& latency);
  /// As `other`, but us() expects dense options at one end of the band and sparse ones at another.
  SpaceLatency(const SpaceLatency& other, BandEnd dense, BandEnd sparse);
  ~SpaceLatency();
  SpaceLatency(const SpaceLatency&) = delete;
  SpaceLatency& operator=(const SpaceLatency&) = delete;

  /// One layer of the candidate's network.
  const emu::Latency& layer(const Candidate& candidate, int layer) const;
  /// Sum over the layers in us: they run one after the other. The candidate must be of the space (it is not
  /// checked): a few additions a layer.
  double us(const Candidate& candidate, BandEnd end = BandEnd::expected) const;
  const LayerForms& forms(int layer) const;
  int layers() const;

 private:
  struct Tables;
  std::unique_ptr<Tables> tables_;
};

}  // namespace twofour::nas
