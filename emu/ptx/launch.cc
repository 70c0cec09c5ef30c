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

/// The observers of one host thread.
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

}  // namespace

void run_grid(Grid& grid, int threads) {
  const std::uint64_t blocks = std::uint64_t(grid.grid.x) * grid.grid.y * grid.grid.z;
  const int wanted = threads > 0 ? threads : int(std::max(1u, std::thread::hardware_concurrency()));
  const int used = int(std::min<std::uint64_t>(blocks, std::uint64_t(wanted)));
  std::atomic<std::uint64_t> next = 0;
  Failure failure;
  std::mutex making;
  const auto work = [&] {
    std::uint64_t block = 0;
    try {
      const Observation observation(grid, making);
      Cta cta(grid, observation.list());
      while (!grid.stopped.load(std::memory_order_relaxed) && (block = next.fetch_add(1)) < blocks)
        cta.run(block);
    } catch (...) {
      grid.stopped = true;
      failure.set(block, std::current_exception());
    }
  };
  std::vector<std::jthread> others;
  for (int i = 1; i < used; ++i) others.emplace_back(work);
  work();
  others.clear();  // joins
  for (Observer* o : grid.observers) o->launched(grid, failure.message());
  failure.rethrow();
}

}  // namespace twofour::emu::ptx
