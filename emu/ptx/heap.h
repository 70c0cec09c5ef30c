#pragma once
// Memory that kernels take by malloc and new: one area of global memory, made when a kernel that may ask for
// it is launched first. Source: CUDA C++ Programming Guide, "Dynamic Global Memory Allocation".
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "twofour/emu/ptx/memory.h"

namespace twofour::emu::ptx {

/// Calls of kernels may come from several host threads.
class DeviceHeap {
 public:
  DeviceHeap(std::shared_ptr<GlobalMemory> memory, std::uint64_t bytes)
      : memory_(std::move(memory)), bytes_(bytes) {}
  ~DeviceHeap();
  DeviceHeap(const DeviceHeap&) = delete;
  DeviceHeap& operator=(const DeviceHeap&) = delete;

  /// False if the area is there already.
  bool resize(std::uint64_t bytes);
  /// Makes the area. Throws Error if the device has not that much. Not while a kernel runs.
  void prepare();
  /// Aligned to 16 bytes; 0: no room.
  std::uint64_t allocate(std::uint64_t bytes);
  /// False for what allocate() did not give or what is free already.
  bool free(std::uint64_t address);

 private:
  std::shared_ptr<GlobalMemory> memory_;
  std::uint64_t bytes_, area_ = 0;
  std::mutex mutex_;
  std::map<std::uint64_t, std::uint64_t> live_, holes_;  ///< first address, bytes
};

}  // namespace twofour::emu::ptx
