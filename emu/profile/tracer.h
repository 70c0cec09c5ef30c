#pragma once
// Records what one SM executes of every launch of a device.
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "twofour/emu/profile/footprint.h"
#include "twofour/emu/profile/launch_trace.h"
#include "twofour/emu/profile/lowered_function.h"
#include "twofour/emu/ptx/observer.h"

namespace twofour::emu::profile {

/// Blocks 0, SMs, 2 SMs, ... as many as three times those that an SM holds, and within the first of these at
/// most `instructions` machine instructions; later blocks only while the earlier ones had fewer than that.
/// Every block's global accesses count for the traffic.
class Tracer : public ptx::Observer {
 public:
  using Take = std::function<void(const LaunchTrace&)>;
  /// `take` gets the trace of every launch that did not fail.
  Tracer(isa::Machine machine, Take take, std::int64_t instructions = std::int64_t{1} << 21)
      : machine_(std::move(machine)), take_(std::move(take)), bound_(instructions) {}

  std::unique_ptr<ptx::BlockObserver> observe(ptx::Grid& grid) override;
  void launched(const ptx::Grid& grid, const std::string& failure) override;

 private:
  class Block;
  void start(const ptx::Grid& grid);
  std::shared_ptr<const LoweredFunction> lowered(const ptx::Function& function);
  /// Whether a block is recorded.
  bool wants(std::uint64_t index);
  void add(BlockTrace block, const GlobalTraffic& traffic, std::uint64_t loaded_once);

  isa::Machine machine_;
  Take take_;
  std::int64_t bound_;
  std::mutex mutex_;
  bool started_ = false;
  std::int64_t warp_bound_ = 0;
  LaunchTrace trace_;
  Footprint read_, written_;
  std::map<const ptx::Function*, std::shared_ptr<const LoweredFunction>> functions_;  ///< of the launch
  std::map<std::size_t, std::shared_ptr<const LoweredFunction>> known_;  ///< by hash of their texts
};

}  // namespace twofour::emu::profile
