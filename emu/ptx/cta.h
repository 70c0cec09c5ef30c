#pragma once
// A block: its shared memory, its barriers, and its warps in turns.
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>

#include "twofour/emu/ptx/device.h"
#include "twofour/emu/ptx/memory.h"
#include "twofour/emu/ptx/warp.h"

namespace twofour::emu::ptx {

class Observer;
class BlockObserver;
class DeviceHeap;
class NestedLaunches;
class Textures;

/// What all blocks of a launch share.
struct Grid {
  const Kernel* kernel = nullptr;
  Dim3 grid, block;
  std::uint64_t dynamic_shared = 0;
  std::span<const std::byte> parameters;  ///< padded at the end by 16 bytes that may be read
  const GlobalMemory* memory = nullptr;
  const isa::Machine* machine = nullptr;
  std::uint64_t id = 0;
  std::uint64_t instruction_limit = 0;
  std::atomic<std::uint64_t> executed = 0;
  std::atomic<bool> stopped = false;            ///< another block failed
  std::function<void(std::string_view)> print;  ///< where printf's text goes
  std::mutex print_mutex;
  std::span<Observer* const> observers;
  bool allow_stray = false;                    ///< see DeviceOptions
  std::atomic<std::uint64_t> stray_reads = 0;  ///< how many there were
  DeviceHeap* heap = nullptr;
  NestedLaunches* nested = nullptr;
  const Textures* textures = nullptr;
  bool cooperative = false;     ///< all blocks are resident; they may wait for each other
  std::uint64_t workspace = 0;  ///< of a cooperative grid's barrier: %envreg1 (high) and %envreg2
  Progress* progress = nullptr;

  void print_text(std::string_view text) {
    const std::lock_guard lock(print_mutex);
    print(text);
  }
};

/// Of predicates that warps bring to a barrier.
struct Reduction {
  std::uint32_t popc = 0, all = 1, any = 0;
};

/// Runs blocks one after another; registers and shared memory are reused, and zero at the start of each.
class Cta {
 public:
  /// `observers` outlive it.
  Cta(Grid& grid, std::span<BlockObserver* const> observers);
  void start(std::uint64_t linear_index);
  /// Runs its warps for about `budget` instructions; false: it is not done, or another block failed. Throws
  /// Error.
  bool run(std::uint64_t budget);
  /// Ends the turn of a block that waits for another one.
  void give_way() { budget_ = 0; }

  Grid& grid() { return grid_; }
  const Dim3& index() const { return index_; }
  const std::string& kernel_name() const { return grid_.kernel->entry->name; }
  std::uint64_t linear_index() const { return linear_index_; }
  std::span<std::byte> shared() { return shared_; }
  int warp_count() const { return int(warps_.size()); }
  std::span<BlockObserver* const> observers() const { return observers_; }

  enum class Arrival : std::uint8_t { sync, arrive, reduce };
  /// Host memory that registers and local memory of a warp take in addition. Throws Error, with the place of
  /// the warp, where the block takes more than 1 GiB in all.
  void take_memory(const Warp& warp, std::uint64_t bytes);

  /// A warp comes to a barrier that expects `threads` (0: the whole block); sync and reduce block it.
  void arrive(Warp& warp, std::uint32_t id, std::uint32_t threads, Arrival arrival,
              Reduction contribution = {});

 private:
  struct Barrier {
    std::uint32_t arrived = 0, expected = 0;
    std::vector<Warp*> waiting;
    Reduction reduction;
    bool used = false;
  };
  std::uint32_t live_threads() const;
  void complete_if_full(std::uint32_t id);
  void warp_ended();
  void check_limits(std::uint64_t executed, const Warp& warp);
  [[noreturn]] void fail_deadlock();

  Grid& grid_;
  std::span<BlockObserver* const> observers_;
  Dim3 index_;
  std::uint64_t linear_index_ = 0, taken_ = 0;
  std::vector<std::byte> shared_storage_;
  std::span<std::byte> shared_;
  std::vector<std::unique_ptr<Warp>> warps_;
  std::size_t left_ = 0, next_ = 0;  ///< warps that are not done; whose turn it is
  std::uint64_t budget_ = 0;
  std::array<Barrier, 16> barriers_;
};

/// Writes a reduced predicate or count to the lanes of a warp that waited for it.
void finish_reduction(Warp& warp, const Reduction& reduction);

}  // namespace twofour::emu::ptx
