#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "twofour/emu/timing/gemm_latency.h"

namespace twofour::emu {

/// A hash map from problems to latencies that many threads may use at once. It only grows: an entry, once in,
/// never moves and never changes, so a look-up takes no lock and its result may be kept. Open addressing with
/// linear probing; a table that is half full is copied into one of twice the size, and outgrown tables live
/// as long as the map, because a reader may still be in them.
class LatencyMap {
 public:
  LatencyMap() { grow(first_slots); }

  /// The latency of the problem, or null.
  const Latency* find(const GemmProblem& problem) const {
    const Table& table = *current_.load(std::memory_order_acquire);
    for (std::size_t slot = hash(problem) & table.mask;; slot = (slot + 1) & table.mask) {
      const Entry* entry = table.slots[slot].load(std::memory_order_acquire);
      if (entry == nullptr) return nullptr;
      if (entry->problem == problem) return &entry->latency;
    }
  }

  /// Puts a latency in; where another thread was first, its entry stays. Returns the one that is in the map.
  const Latency& insert(const GemmProblem& problem, const Latency& latency) {
    const std::lock_guard lock(mutex_);
    if (const Latency* present = find(problem)) return *present;
    if (2 * (entries_.size() + 1) > tables_.back()->slots.size()) grow(2 * tables_.back()->slots.size());
    const Entry& entry = entries_.emplace_back(Entry{problem, latency});
    place(*tables_.back(), entry);
    return entry.latency;
  }

  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
  }

 private:
  static constexpr std::size_t first_slots = 1024;

  struct Entry {
    GemmProblem problem;
    Latency latency;
  };
  struct Table {
    explicit Table(std::size_t slots_) : slots(slots_), mask(slots_ - 1) {}
    std::vector<std::atomic<const Entry*>> slots;
    std::size_t mask;  ///< slots - 1; their number is a power of two
  };

  /// Multiply and fold; sizes are often multiples of large powers of two, so the high half comes down.
  static std::size_t hash(const GemmProblem& p) {
    std::uint64_t x = 0;
    const auto mix = [&x](std::uint64_t word) {
      x = (x ^ word) * 0x9E3779B97F4A7C15u;
      x ^= x >> 32;
    };
    mix(static_cast<std::uint64_t>(p.m));
    mix(static_cast<std::uint64_t>(p.n));
    mix(static_cast<std::uint64_t>(p.k));
    mix(static_cast<std::uint64_t>(p.batch) << 32 ^ static_cast<std::uint64_t>(p.output_bits) << 16 ^
        static_cast<std::uint64_t>(p.type) << 8 ^ static_cast<std::uint64_t>(p.launch) << 1 ^
        static_cast<std::uint64_t>(p.sparse));
    return static_cast<std::size_t>(x);
  }

  static void place(Table& table, const Entry& entry) {
    std::size_t slot = hash(entry.problem) & table.mask;
    while (table.slots[slot].load(std::memory_order_relaxed) != nullptr) slot = (slot + 1) & table.mask;
    table.slots[slot].store(&entry, std::memory_order_release);
  }

  void grow(std::size_t slots) {
    auto table = std::make_unique<Table>(slots);
    for (const Entry& entry : entries_) place(*table, entry);
    current_.store(table.get(), std::memory_order_release);
    tables_.push_back(std::move(table));
  }

  mutable std::mutex mutex_;  ///< of entries_ and tables_, and of stores into slots
  std::deque<Entry> entries_;
  std::vector<std::unique_ptr<Table>> tables_;
  std::atomic<const Table*> current_ = nullptr;
};

}  // namespace twofour::emu
