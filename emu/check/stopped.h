#pragma once
// Where blocks stopped that an instruction ended: the executor's own refusals as findings.
#include <mutex>
#include <string>
#include <vector>

#include "twofour/emu/check/findings.h"

namespace twofour::emu::check {

/// An instruction that a warp came to. It may be read when the warp is gone, until the launch is over.
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
/// A finding without error and detail.
Finding finding_at(Tool tool, const ptx::Grid& grid, const LastInstruction& at);

/// What a message of the executor says after the place, block and warp of the finding, and perhaps a lane;
/// empty if it begins otherwise.
std::string words_at(const Finding& finding, const std::string& failure);

/// A block that did not come to its end.
struct StoppedBlock {
  LastInstruction last;
  std::vector<LastInstruction> waiting;  ///< at barriers
};

/// Those of a launch; for many threads.
class StoppedBlocks {
 public:
  void add(StoppedBlock block);
  /// Forgets them.
  std::vector<StoppedBlock> take();

 private:
  std::mutex mutex_;
  std::vector<StoppedBlock> list_;
};

}  // namespace twofour::emu::check
