#include "twofour/emu/ptx/memory.h"

#include <sys/mman.h>

#include <algorithm>

#include "twofour/isa/error.h"

namespace twofour::emu::ptx {
namespace {

/// The entry of a map of ranges that holds the address, one past its last byte counted if `touching`.
template <class Map>
typename Map::const_iterator holder(const Map& map, std::uint64_t address, bool touching) {
  auto at = map.upper_bound(address);
  if (at == map.begin()) return map.end();
  --at;
  const std::uint64_t offset = address - at->first;
  return offset < at->second + touching ? at : map.end();
}

}  // namespace

void add_hole(std::map<std::uint64_t, std::uint64_t>& holes, std::uint64_t address, std::uint64_t bytes) {
  auto next = holes.lower_bound(address);
  if (next != holes.end() && next->first == address + bytes) {
    bytes += next->second;
    next = holes.erase(next);
  }
  if (next != holes.begin())
    if (auto before = std::prev(next); before->first + before->second == address) {
      before->second += bytes;
      return;
    }
  holes[address] = bytes;
}

GlobalMemory::GlobalMemory(std::uint64_t capacity, std::uint64_t gap, bool watched)
    : capacity_(capacity),
      free_bytes_(capacity),
      gap_(gap),
      written_(watched ? std::make_unique<WrittenBytes>(global_window, capacity) : nullptr) {
  // The host takes the address as a hint, and gives another one where the range is not free.
  void* p = mmap(reinterpret_cast<void*>(global_window), capacity, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED)
    fail("cannot reserve {} bytes of address space for global memory: raise the limit (ulimit -v)", capacity);
  base_ = static_cast<std::byte*>(p);
  holes_[global_window] = capacity;
}

GlobalMemory::~GlobalMemory() {
  munmap(base_, capacity_);
}

/// Bytes that an allocation takes from the arena.
std::uint64_t GlobalMemory::units(std::uint64_t bytes) const {
  return std::max<std::uint64_t>(1, (bytes + allocation_alignment - 1) / allocation_alignment) *
             allocation_alignment +
         gap_;
}

std::uint64_t GlobalMemory::allocate(std::uint64_t bytes) {
  const std::uint64_t wanted = bytes > capacity_ ? bytes : units(bytes);
  const auto hole = std::find_if(holes_.begin(), holes_.end(), [&](auto& h) { return h.second >= wanted; });
  if (hole == holes_.end())
    fail("out of device memory: {} bytes asked for, {} free, {} in all", bytes, free_bytes_, capacity_);
  const auto [address, room] = *hole;
  holes_.erase(hole);
  if (room > wanted) holes_[address + wanted] = room - wanted;
  live_[address] = bytes;
  free_bytes_ -= wanted;
  freed_.erase(freed_.lower_bound(address), freed_.lower_bound(address + wanted));
  return address;
}

void GlobalMemory::free(std::uint64_t address) {
  const auto at = live_.find(address);
  if (at == live_.end()) fail("free of address {:#x}, which {}", address, describe(address));
  const std::uint64_t bytes = at->second;
  live_.erase(at);
  freed_[address] = bytes;
  give_back(address, units(bytes));
}

bool GlobalMemory::adopt(std::uint64_t address, std::uint64_t bytes) {
  if (host_bias() != 0 || bytes == 0 || address < local_window_end || address + bytes < address) return false;
  const auto above = live_.lower_bound(address);
  if (above != live_.end() && above->first < address + bytes) return false;
  if (find(address).end != 0) return false;
  return live_.emplace(address, bytes).second;
}

void GlobalMemory::give_back(std::uint64_t address, std::uint64_t bytes) {
  free_bytes_ += bytes;
  if (written_) written_->clear(address, bytes);
  // Fresh memory is zero: whole pages go back to the host, the rest is cleared.
  constexpr std::uint64_t page = 4096;
  const std::uint64_t first = (address + page - 1) / page * page, last = (address + bytes) / page * page;
  const auto host = [this](std::uint64_t at) { return reinterpret_cast<std::byte*>(host_bias() + at); };
  if (first < last) {
    std::fill(host(address), host(first), std::byte{});
    madvise(host(first), last - first, MADV_DONTNEED);
    std::fill(host(last), host(address + bytes), std::byte{});
  } else {
    std::fill(host(address), host(address + bytes), std::byte{});
  }
  add_hole(holes_, address, bytes);
}

GlobalMemory::Range GlobalMemory::find(std::uint64_t address) const {
  const auto at = holder(live_, address, false);
  if (at == live_.end()) return {};
  return {at->first, at->first + at->second};
}

GlobalMemory::Range GlobalMemory::mapped(std::uint64_t address) const {
  constexpr std::uint64_t page = std::uint64_t{2} << 20;
  const std::uint64_t begin = address / page * page;
  const std::uint64_t end = std::min(begin + page, global_window + capacity_);
  const auto above = live_.lower_bound(end);
  if (begin < global_window || begin >= end || above == live_.begin()) return {};
  const auto& [last, bytes] = *std::prev(above);
  return last + units(bytes) > begin ? Range{begin, end} : Range{};
}

bool GlobalMemory::was_freed(std::uint64_t address) const {
  return holder(live_, address, false) == live_.end() && holder(freed_, address, false) != freed_.end();
}

std::string GlobalMemory::describe(std::uint64_t address) const {
  if (const auto at = holder(live_, address, false); at != live_.end())
    return fmt::format("is byte {} of the allocation at {:#x}, {} bytes", address - at->first, at->first,
                       at->second);
  if (const auto at = holder(freed_, address, false); at != freed_.end())
    return fmt::format("is byte {} of the allocation at {:#x}, {} bytes, which was freed",
                       address - at->first, at->first, at->second);
  auto above = live_.upper_bound(address);
  if (above == live_.begin()) return "is in no allocation";
  const auto& [begin, bytes] = *std::prev(above);
  return fmt::format("is {} bytes past the end of the allocation at {:#x}, {} bytes", address - begin - bytes,
                     begin, bytes);
}

}  // namespace twofour::emu::ptx
