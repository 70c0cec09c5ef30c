#pragma once
// A GPU in memory: allocations, loaded modules, launches. What `twofour run` and the CUDA runtime library
// use.
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "twofour/emu/ptx/module.h"
#include "twofour/isa/machine.h"

namespace twofour::emu::ptx {

struct Dim3 {
  std::uint32_t x = 1, y = 1, z = 1;
};

struct Launch {
  Dim3 grid, block;
  std::uint64_t dynamic_shared = 0;       ///< bytes
  std::span<const std::byte> parameters;  ///< laid out as the entry's .param variables: each at its alignment
  bool cooperative = false;               ///< all blocks are resident, and the grid has a barrier
};

/// What a launch did.
struct LaunchReport {
  std::uint64_t warp_instructions = 0;
  std::uint64_t stray_reads = 0;  ///< instructions that read outside allocations, where that is allowed
};

class Observer;
class NestedLaunches;
struct Kernel;
struct Texture;

/// How far a launch is, for other threads to read.
struct Progress {
  std::atomic<std::uint64_t> blocks = 0, warp_instructions = 0;  ///< done; instructions to some 10^5
};

struct DeviceOptions {
  std::uint64_t memory_bytes = std::uint64_t{40}
                               << 30;   ///< global memory; only what is touched takes memory of the host
  int threads = 0;                      ///< 0: all cores
  std::uint64_t instruction_limit = 0;  ///< warp instructions a launch may execute, to some 10^5; 0: no limit
  std::function<void(std::string_view)> print;  ///< the text of a printf in a kernel; none: to stdout
  std::uint64_t memory_gap = 0;                 ///< bytes between allocations, see GlobalMemory
  /// Reads of global memory outside all allocations, in 2 MiB of which some is allocated, give what lies
  /// there: a GPU has mapped it. A block has its shared memory in units of 128 bytes, as on a GPU, and may
  /// use what it did not ask for. Else both are errors.
  bool allow_stray = false;
  std::vector<Observer*> observers = {};  ///< see observer.h; they slow every launch down
  Progress* progress = nullptr;           ///< set to zero at every launch; outlives the device
};

/// A module in a device: its variables have addresses.
class LoadedModule;

/// One per process or several; a device's calls are for one thread at a time. Errors are twofour::Error:
/// kernel, place in the PTX, block, warp, lane, address.
class Device {
 public:
  explicit Device(isa::Machine machine, DeviceOptions options = {});
  ~Device();

  const isa::Machine& machine() const;

  /// Global memory, 256-byte aligned. Addresses are numbers of the device; of the first device of a process
  /// they are as a rule the host's addresses of the same bytes, too.
  std::uint64_t allocate(std::uint64_t bytes);
  void free(std::uint64_t address);
  /// Host view of allocated bytes, to copy from and to; they count as written. Throws Error for what is not
  /// inside one allocation or variable.
  std::span<std::byte> bytes(std::uint64_t address, std::uint64_t count);
  std::uint64_t free_bytes() const;
  /// What an address is: see GlobalMemory::describe.
  std::string describe(std::uint64_t address) const;

  std::shared_ptr<LoadedModule> load(Module module);
  /// Of a .global or .const variable. Throws Error for an unknown name.
  struct Symbol {
    std::uint64_t address = 0, bytes = 0;
  };
  Symbol symbol(const LoadedModule& module, std::string_view name) const;

  /// Runs a kernel to its end, and what it launches.
  LaunchReport launch(const LoadedModule& module, std::string_view entry, const Launch& launch);

  /// Bytes that kernels can take by malloc and new (8 MiB unless set); false: a kernel did already.
  bool set_heap_bytes(std::uint64_t bytes);

  /// The handle by which kernels name a texture or surface, never 0.
  std::uint64_t add_texture(const Texture& texture);
  /// Throws Error for a handle that is not in use.
  void remove_texture(std::uint64_t handle);

  /// Makes memory of the host readable and writable for kernels at its own addresses; false where they are
  /// not free, or taken by one of PTX's windows.
  bool adopt(std::uint64_t address, std::uint64_t bytes);
  void disown(std::uint64_t address);

 private:
  LaunchReport run(const Kernel& kernel, const Launch& launch, NestedLaunches& nested);
  void run_nested(const LoadedModule& module, NestedLaunches& nested, LaunchReport& report);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace twofour::emu::ptx
