#pragma once
// Where a kernel's addresses point. An address in a state space and the generic address of the same byte are
// the same number (PTX leaves that open), so cvta moves and every load checks one window.
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "twofour/emu/ptx/written.h"

namespace twofour::emu::ptx {

inline constexpr std::uint64_t shared_window = 0x0100'0000, shared_window_end = 0x0200'0000;
inline constexpr std::uint64_t param_window = 0x0200'0000, param_window_end = 0x0201'0000;
inline constexpr std::uint64_t function_window = 0x0800'0000, function_stride = 16;
inline constexpr std::uint64_t local_window = 0x4000'0000, local_window_end = 0x5000'0000;
inline constexpr std::uint64_t global_window =
    0x2000'0000'0000;  ///< of .global and .const; free in every host process
inline constexpr std::uint64_t allocation_alignment = 256;  ///< bytes

/// Adds free bytes to a map of them (first address, bytes), joined with neighbours.
void add_hole(std::map<std::uint64_t, std::uint64_t>& holes, std::uint64_t address, std::uint64_t bytes);

/// Global memory: one reserved range of host memory that the host fills with pages at first touch, and the
/// map of what is allocated. Fresh memory is zero. The range lies at its device addresses where the host lets
/// it (the first one of a process): then host and device share pointers, and host_bias() is 0.
class GlobalMemory {
 public:
  /// `gap`: bytes after each allocation that belong to none, a multiple of 256; they count as taken.
  /// `watched`: remembers which bytes were written. Throws Error if the host cannot reserve that much.
  explicit GlobalMemory(std::uint64_t capacity, std::uint64_t gap = 0, bool watched = false);
  ~GlobalMemory();
  GlobalMemory(const GlobalMemory&) = delete;
  GlobalMemory& operator=(const GlobalMemory&) = delete;

  /// A device address. Zero bytes get an address of their own that nothing may be read from.
  std::uint64_t allocate(std::uint64_t bytes);
  /// Throws Error for what allocate() did not give or what is free already.
  void free(std::uint64_t address);
  std::uint64_t free_bytes() const { return free_bytes_; }
  /// Memory of the host at its own address, as an allocation. False where device addresses are not the
  /// host's, or where something else is.
  bool adopt(std::uint64_t address, std::uint64_t bytes);
  void disown(std::uint64_t address) { live_.erase(address); }

  /// The allocation that holds the address; {0, 0} if none does.
  struct Range {
    std::uint64_t begin = 0, end = 0;
  };
  Range find(std::uint64_t address) const;
  /// The 2 MiB that a GPU maps at once and that the address lies in, if some of it is allocated; else {0, 0}.
  Range mapped(std::uint64_t address) const;
  /// Whether the address is in no allocation but was in one.
  bool was_freed(std::uint64_t address) const;
  /// "is 8 bytes past the end of the allocation at 0x..., 256 bytes".
  std::string describe(std::uint64_t address) const;
  /// Null unless it is watched. Who writes tells it, or calls mark_written().
  WrittenBytes* written() const { return written_.get(); }
  void mark_written(std::uint64_t address, std::uint64_t bytes) const {
    if (written_) written_->set(address, bytes);
  }
  /// Host address of a device address is the sum of both.
  std::uintptr_t host_bias() const { return reinterpret_cast<std::uintptr_t>(base_) - global_window; }

 private:
  using Map = std::map<std::uint64_t, std::uint64_t>;  // first address, bytes
  std::uint64_t units(std::uint64_t bytes) const;
  void give_back(std::uint64_t address, std::uint64_t bytes);

  std::byte* base_ = nullptr;
  std::uint64_t capacity_, free_bytes_, gap_;
  Map live_, holes_, freed_;  // bytes asked for; whole units without an owner; what was freed last there
  std::unique_ptr<WrittenBytes> written_;
};

}  // namespace twofour::emu::ptx
