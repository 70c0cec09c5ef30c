#pragma once
// Where blocks stopped that an instruction ended: the executor's own refusals as findings.
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "twofour/emu/check/findings.h"

namespace twofour::emu::check {

/// The instruction that a block came to last. It may be read when the block is gone, until the launch is
/// over.
struct LastInstruction {
  const ptx::Site* site = nullptr;
  ptx::Dim3 block;
  std::uint64_t linear_block = 0;
  int warp = 0;
  std::uint32_t lanes = 0;

  void set(ptx::Warp& of, const ptx::Site& at, std::uint32_t executing) {
    site = &at;
    block = of.cta().index();
    linear_block = of.cta().linear_index();
    warp = of.index();
    lanes = executing;
  }
};

/// Those of the blocks of a launch that did not come to their end; for many threads.
class StoppedBlocks {
 public:
  void add(const LastInstruction& last);
  /// The one that `failure`, the message of the launch, is about, as a finding without error; its detail is
  /// what the message says after the place. Forgets all.
  struct Stopped {
    Finding finding;
    const ptx::Site* site = nullptr;
    std::uint64_t linear_block = 0;
  };
  std::optional<Stopped> take(Tool tool, const ptx::Grid& grid, const std::string& failure);

 private:
  std::mutex mutex_;
  std::vector<LastInstruction> list_;
};

}  // namespace twofour::emu::check
