#include "twofour/emu/check/stopped.h"

#include <fmt/format.h>

#include <utility>

namespace twofour::emu::check {

Finding finding_at(Tool tool, const ptx::Grid& grid, const LastInstruction& at) {
  Finding f;
  f.tool = tool;
  f.kernel = grid.kernel->entry->name;
  f.file = *at.site->file;
  f.line = at.site->instruction().at.line;
  f.statement = at.site->instruction().text;
  f.block = at.block;
  f.warp = at.warp;
  f.lanes = at.lanes;
  return f;
}

std::string words_at(const Finding& f, const std::string& failure) {
  const std::string begin =
      fmt::format("{}, block ({}, {}, {}), warp {}", place(f), f.block.x, f.block.y, f.block.z, f.warp);
  if (!failure.starts_with(begin)) return {};
  const bool lane = failure.compare(begin.size(), 7, ", lane ") == 0;
  const std::size_t colon = lane ? failure.find(": ", begin.size()) : begin.size();
  if (colon == std::string::npos || failure.compare(colon, 2, ": ") != 0) return {};
  return failure.substr(colon + 2);
}

void StoppedBlocks::add(StoppedBlock block) {
  const std::lock_guard lock(mutex_);
  list_.push_back(std::move(block));
}

std::vector<StoppedBlock> StoppedBlocks::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(list_, {});
}

}  // namespace twofour::emu::check
