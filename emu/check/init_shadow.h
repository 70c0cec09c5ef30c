#pragma once
// What was ever set: registers, local and shared memory. Private to emu/check.
#include <cstring>
#include <vector>

#include "twofour/emu/check/init_plan.h"

namespace twofour::emu::check {

/// Registers of one call of a function.
struct InitFrame {
  const ptx::Function* function = nullptr;
  std::vector<InitPlan>* plans = nullptr;
  std::vector<std::uint32_t> set;  ///< by register: lanes
  bool fresh = true;
};

/// Registers and local memory of a warp.
class WarpShadow {
 public:
  /// Nothing is set.
  void start() {
    for (InitFrame& f : frames_) f.fresh = true;
  }
  /// The frame of a warp that is about to run an instruction there. What a function is given is set.
  InitFrame& frame(ptx::Warp& warp, const ptx::Site& site, InitPlans& plans);
  /// The frame above begins again.
  void call(std::size_t depth) {
    if (depth < frames_.size()) frames_[depth].fresh = true;
  }

  /// Whether one of these bytes is set, of a lane; bytes that no frame has are.
  bool any_local(int lane, std::uint64_t address, std::uint64_t bytes) const;
  void set_local(int lane, std::uint64_t address, std::uint64_t bytes, bool set);

 private:
  void enter(ptx::Warp& warp, InitFrame& frame);

  std::vector<InitFrame> frames_;
  std::vector<std::uint32_t> local_;  // by byte: lanes
};

/// Bytes of a block's shared memory, each 0 or 1. Bytes that are not there count as set.
class SharedShadow {
 public:
  void start(std::size_t bytes) { bytes_.assign(bytes, 0); }
  bool any(std::uint64_t address, std::uint64_t bytes) const {
    const std::uint8_t* const p = at(address, bytes);
    return p == nullptr || count(p, bytes) != 0;
  }
  bool all(std::uint64_t address, std::uint64_t bytes) const {
    const std::uint8_t* const p = at(address, bytes);
    return p == nullptr || count(p, bytes) == bytes;
  }
  void set(std::uint64_t address, std::uint64_t bytes, bool set) {
    if (auto* const p = const_cast<std::uint8_t*>(at(address, bytes))) std::memset(p, set ? 1 : 0, bytes);
  }

 private:
  const std::uint8_t* at(std::uint64_t address, std::uint64_t bytes) const {
    const std::uint64_t offset = address - ptx::shared_window;
    return offset < bytes_.size() && bytes <= bytes_.size() - offset ? bytes_.data() + offset : nullptr;
  }
  static std::uint64_t count(const std::uint8_t* p, std::uint64_t bytes) {
    std::uint64_t n = 0;
    for (std::uint64_t i = 0; i < bytes; ++i) n += p[i];
    return n;
  }
  std::vector<std::uint8_t> bytes_;
};

}  // namespace twofour::emu::check
