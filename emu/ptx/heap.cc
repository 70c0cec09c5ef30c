#include "twofour/emu/ptx/heap.h"

#include <algorithm>

namespace twofour::emu::ptx {
namespace {

constexpr std::uint64_t unit = 16;  // bytes

}  // namespace

DeviceHeap::~DeviceHeap() {
  if (area_ != 0) memory_->free(area_);
}

bool DeviceHeap::resize(std::uint64_t bytes) {
  if (area_ != 0) return false;
  bytes_ = bytes;
  return true;
}

void DeviceHeap::prepare() {
  if (area_ != 0) return;
  area_ = memory_->allocate(bytes_);
  holes_[area_] = bytes_ / unit * unit;
}

std::uint64_t DeviceHeap::allocate(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (bytes > bytes_) return 0;
  const std::uint64_t wanted = (std::max<std::uint64_t>(bytes, 1) + unit - 1) / unit * unit;
  const auto hole = std::find_if(holes_.begin(), holes_.end(), [&](auto& h) { return h.second >= wanted; });
  if (hole == holes_.end()) return 0;
  const auto [address, room] = *hole;
  holes_.erase(hole);
  if (room > wanted) holes_[address + wanted] = room - wanted;
  live_[address] = wanted;
  return address;
}

bool DeviceHeap::free(std::uint64_t address) {
  const std::lock_guard lock(mutex_);
  const auto at = live_.find(address);
  if (at == live_.end()) return false;
  const std::uint64_t bytes = at->second;
  live_.erase(at);
  add_hole(holes_, address, bytes);
  return true;
}

}  // namespace twofour::emu::ptx
