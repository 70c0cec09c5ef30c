#pragma once
// Counts for one host thread of a launch. Private to emu/profile.
#include <unordered_map>

#include "twofour/emu/profile/statistics.h"
#include "twofour/emu/ptx/observer.h"

namespace twofour::emu::profile {

class Counter {
 public:
  /// An instruction that is about to run.
  void add(ptx::Warp& warp, const ptx::Site& site, std::uint32_t lanes);
  Statistics statistics() const;

 private:
  void access(ptx::Warp& warp, const ptx::Site& site, const ptx::MemoryUse& use, std::uint32_t lanes);

  std::unordered_map<const ptx::Site*, std::uint64_t> executed_;
  Statistics memory_;  ///< its traffic alone
};

/// Class of an instruction.
Class class_of(const ptx::Site& site);

}  // namespace twofour::emu::profile
