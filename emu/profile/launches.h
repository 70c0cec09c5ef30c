#pragma once
// The observer that counts: statistics of every launch and of every kernel.
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "twofour/emu/profile/statistics.h"
#include "twofour/emu/ptx/observer.h"

namespace twofour::emu::profile {

/// Counts what a device launches.
class Launches final : public ptx::Observer {
 public:
  std::unique_ptr<ptx::BlockObserver> observe(ptx::Grid& grid) override;
  void launched(const ptx::Grid& grid, const std::string& failure) override;

  /// Of all launches of that kernel, those that failed too; empty for a kernel that was not launched.
  const Statistics& of(const std::string& kernel) const;
  /// {"launches": [{"kernel", "grid", "block", "dynamic_shared", "instructions", "failed"}], "kernels":
  /// [{"kernel", "launches", and json(Statistics)}]}; kernels by name, launches in their order.
  nlohmann::ordered_json json() const;

 private:
  class Block;
  struct Launch {
    std::string kernel;
    ptx::Dim3 grid, block;
    std::uint64_t dynamic_shared = 0, instructions = 0;
    bool failed = false;
  };
  std::mutex mutex_;
  Statistics running_;  ///< of the launch that runs
  std::vector<Launch> launches_;
  std::map<std::string, Statistics> kernels_;
  isa::Architecture architecture_ = isa::Architecture::ampere;
};

/// Refuses matrix instructions whose arithmetic nobody has measured, at their place (isa::require_measured).
class Strict final : public ptx::Observer {
 public:
  std::unique_ptr<ptx::BlockObserver> observe(ptx::Grid& grid) override;
};

}  // namespace twofour::emu::profile
