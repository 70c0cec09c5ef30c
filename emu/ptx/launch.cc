#include "twofour/emu/ptx/launch.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "twofour/emu/ptx/observer.h"

namespace twofour::emu::ptx {
namespace {

/// The first failure, by index of the block.
class Failure {
 public:
  void set(std::uint64_t block, std::exception_ptr error) {
    const std::lock_guard lock(mutex_);
    if (error_ != nullptr && block_ < block) return;
    block_ = block;
    error_ = std::move(error);
  }
  /// Empty if there is none.
  std::string message() const {
    try {
      rethrow();
    } catch (const std::exception& e) {
      return e.what();
    }
    return {};
  }
  void rethrow() const {
    if (error_ != nullptr) std::rethrow_exception(error_);
  }

 private:
  std::mutex mutex_;
  std::uint64_t block_ = 0;
  std::exception_ptr error_;
};

/// The observers of a block at a time.
class Observation {
 public:
  explicit Observation(Grid& grid, std::mutex& mutex) {
    const std::lock_guard lock(mutex);
    for (Observer* o : grid.observers)
      if (auto made = o->observe(grid)) {
        list_.push_back(made.get());
        held_.push_back(std::move(made));
      }
  }
  std::span<BlockObserver* const> list() const { return list_; }

 private:
  std::vector<std::unique_ptr<BlockObserver>> held_;
  std::vector<BlockObserver*> list_;
};

// Instructions after which another resident block has its turn.
constexpr std::uint64_t turn = 1 << 20, cooperative_turn = 1 << 12;

/// A block on a host thread.
struct Resident {
  Resident(Grid& grid, std::mutex& making) : observation(grid, making), cta(grid, observation.list()) {}
  Observation observation;
  Cta cta;
  std::uint64_t block = 0;
  bool running = false;
};

/// The blocks of one host thread. As a rule one at a time; a block that takes long lets the next ones begin,
/// for it may wait for them. All blocks of a cooperative grid begin before any ends.
class Residents {
 public:
  Residents(Grid& grid, std::mutex& making, std::size_t most) : grid_(grid), making_(making), most_(most) {}

  bool room() const { return busy_ < most_; }
  bool any() const { return busy_ != 0; }
  /// Of the block that ran last.
  std::uint64_t block() const { return block_; }

  void start(std::uint64_t block) {
    block_ = block;
    const auto idle = std::find_if(all_.begin(), all_.end(), [](const auto& r) { return !r->running; });
    Resident& r =
        idle != all_.end() ? **idle : *all_.emplace_back(std::make_unique<Resident>(grid_, making_));
    r.block = block;
    r.running = true;
    ++busy_;
    r.cta.start(block);
  }
  void run() {
    for (std::size_t i = 0; i < all_.size() && !grid_.stopped.load(std::memory_order_relaxed); ++i) {
      Resident& r = *all_[i];
      if (!r.running) continue;
      block_ = r.block;
      if (!r.cta.run(grid_.cooperative ? cooperative_turn : turn)) continue;
      r.running = false;
      --busy_;
    }
  }

 private:
  Grid& grid_;
  std::mutex& making_;
  std::size_t most_, busy_ = 0;
  std::uint64_t block_ = 0;
  std::vector<std::unique_ptr<Resident>> all_;
};

}  // namespace

void run_grid(Grid& grid, int threads) {
  const std::uint64_t blocks = std::uint64_t(grid.grid.x) * grid.grid.y * grid.grid.z;
  const int wanted = threads > 0 ? threads : int(std::max(1u, std::thread::hardware_concurrency()));
  const int used = int(std::min<std::uint64_t>(blocks, std::uint64_t(wanted)));
  std::atomic<std::uint64_t> next = 0;
  Failure failure;
  std::mutex making;
  const auto most = std::size_t(grid.machine->sms * grid.machine->max_ctas_per_sm) / std::size_t(used) + 1;
  const auto work = [&](int thread) {
    Residents residents(grid, making, most);
    try {
      if (grid.cooperative)
        for (std::uint64_t b = std::uint64_t(thread); b < blocks; b += std::uint64_t(used))
          residents.start(b);
      for (std::uint64_t b = 0; !grid.stopped.load(std::memory_order_relaxed);) {
        if (!grid.cooperative && residents.room() && (b = next.fetch_add(1)) < blocks) residents.start(b);
        if (!residents.any()) break;
        residents.run();
      }
    } catch (...) {
      grid.stopped = true;
      failure.set(residents.block(), std::current_exception());
    }
  };
  std::vector<std::jthread> others;
  for (int i = 1; i < used; ++i) others.emplace_back(work, i);
  work(0);
  others.clear();  // joins
  for (Observer* o : grid.observers) o->launched(grid, failure.message());
  failure.rethrow();
}

}  // namespace twofour::emu::ptx
