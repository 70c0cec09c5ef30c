#include "twofour/emu/check/stopped.h"

#include <fmt/format.h>

#include <utility>

namespace twofour::emu::check {
namespace {

/// What follows the place, the block and the warp, and perhaps the lane; empty if the message begins
/// otherwise.
std::string words_of(const Finding& f, const std::string& failure) {
  const std::string begin =
      fmt::format("{}, block ({}, {}, {}), warp {}", place(f), f.block.x, f.block.y, f.block.z, f.warp);
  if (!failure.starts_with(begin)) return {};
  const bool lane = failure.compare(begin.size(), 7, ", lane ") == 0;
  const std::size_t colon = lane ? failure.find(": ", begin.size()) : begin.size();
  if (colon == std::string::npos || failure.compare(colon, 2, ": ") != 0) return {};
  return failure.substr(colon + 2);
}

Finding finding_of(Tool tool, const ptx::Grid& grid, const LastInstruction& last) {
  Finding f;
  f.tool = tool;
  f.kernel = grid.kernel->entry->name;
  f.file = *last.site->file;
  f.line = last.site->instruction().at.line;
  f.statement = last.site->instruction().text;
  f.block = last.block;
  f.warp = last.warp;
  f.lanes = last.lanes;
  return f;
}

}  // namespace

void StoppedBlocks::add(const LastInstruction& last) {
  const std::lock_guard lock(mutex_);
  list_.push_back(last);
}

std::optional<StoppedBlocks::Stopped> StoppedBlocks::take(Tool tool, const ptx::Grid& grid,
                                                          const std::string& failure) {
  const std::lock_guard lock(mutex_);
  for (const LastInstruction& last : std::exchange(list_, {})) {
    Finding f = finding_of(tool, grid, last);
    f.detail = words_of(f, failure);
    if (!f.detail.empty()) return Stopped{std::move(f), last.site, last.linear_block};
  }
  return {};
}

}  // namespace twofour::emu::check
