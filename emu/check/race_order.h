#pragma once
// Which accesses to shared memory come before which, whatever turns the warps take: vector clocks over the
// warps of a block, and LaneOrder inside a warp. Source: PTX ISA 9.0, chapter 8 (release and acquire
// patterns), 9.7.13 (barriers, fences, atom, mbarrier) and 9.7.9.25 (cp.async).
//
// Between warps a warp counts as one thread: what one lane releases, it releases for its warp, and what one
// acquires, all do. That may miss a race; it never invents one. Likewise
// - an atomic (atom, red) releases and acquires at its words, although without .sem it is relaxed: locks and
//   counters without fences are common and work;
// - cp.async.mbarrier.arrive releases what came before it, not the copies alone;
// - a warp that ended has arrived at barriers of the whole block that complete later.
#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <unordered_map>
#include <vector>

#include "twofour/emu/check/race_lanes.h"
#include "twofour/emu/ptx/observer.h"

namespace twofour::emu::check {

/// How strong an access is. Pairs of strong ones are no data race (PTX ISA 8.7.1, morally strong). ld and
/// st.volatile are strong, too; but between lanes of a warp they count as weak: code from before sm_70 relies
/// on an order there that volatile does not give.
enum class Strength : std::uint8_t { weak, volatile_, strong };

/// A read or write of bytes of one word of shared memory by lanes of a warp.
struct Access {
  const ptx::Site* site = nullptr;
  Step step = 0;
  std::uint32_t lanes = 0;
  std::int16_t warp = 0;
  std::uint8_t bytes = 0;  ///< bit = byte of the word
  Strength strength = Strength::weak;
  bool copy = false;    ///< by cp.async, one lane
  bool writes = false;  ///< atomics do, too
};

class RaceOrder {
 public:
  /// A block of so many warps begins.
  void begin(int warps);
  /// Begins the next instruction; what follows is at this step.
  Step next() { return ++now_; }
  Step now() const { return now_; }

  // Barriers of the block
  void arrive(int warp, std::uint32_t id);
  void leave(std::uint32_t id, std::span<const int> warps, std::span<const int> ended);

  // Fences, atomics, and loads and stores that are not weak. Words: offset / 4.
  void fence(int warp);
  void atomic(int warp, std::uint32_t word);
  void strong_load(int warp, std::uint32_t word, bool acquires);
  void strong_store(int warp, std::uint32_t word, bool releases);
  /// A weak store: the word hands nothing on.
  void forget(std::uint32_t word) {
    if (!words_.empty()) words_.erase(word);
  }

  // mbarrier objects, by offset
  void mbarrier_init(std::uint64_t at, std::uint64_t count);
  void mbarrier_inval(std::uint64_t at) { mbarriers_.erase(at); }
  struct MbarrierArrival {
    std::uint64_t count = 0;
    std::int64_t bytes = 0;  ///< of transactions: expected, or less by those that are complete
    bool drops = false, releases = true;
  };
  void mbarrier_arrive(int warp, std::uint64_t at, const MbarrierArrival& arrival);
  /// cp.async.mbarrier.arrive; `counts`: .noinc
  void mbarrier_copies(int warp, int lane, std::uint64_t at, bool counts);
  /// A successful test of a phase.
  void mbarrier_passed(int warp, std::uint64_t at);

  // Inside a warp
  void sync_lanes(int warp, std::uint32_t lanes, bool all);
  void meet(int warp) { lanes_[std::size_t(warp)].meet(now_); }
  void commit(int warp, std::uint32_t lanes) { lanes_[std::size_t(warp)].commit(lanes, now_); }
  void wait_group(int warp, std::uint32_t lanes, std::uint64_t left);

  const LaneOrder& lanes(int warp) const { return lanes_[std::size_t(warp)]; }
  /// The earlier access of another warp comes before what this warp does now.
  bool before(const Access& earlier, int warp) const {
    return clocks_[std::size_t(warp)].warp(earlier.warp) >= earlier.step;
  }
  /// Lanes of the earlier access that do not come before `later`; 0: it comes before.
  std::uint32_t unordered(const Access& earlier, const Access& later) const;
  /// Nobody waited for this copy.
  bool pending(const Access& copy) const;

 private:
  struct Mbarrier {
    std::uint64_t pending, expected;
    std::int64_t bytes = 0;
    Clock gathered, passed;  ///< from arrivals of this phase, of the last one
  };
  struct Fenced {
    Clock released, seen;  ///< by the last fence; from words read since
  };
  void release(int warp, Clock& to);
  void acquire(int warp, const Clock& from);
  void complete(Mbarrier& m);

  int warps_ = 0;
  Step now_ = 0;
  std::vector<Clock> clocks_;
  std::vector<LaneOrder> lanes_;
  std::vector<Fenced> fenced_;
  std::array<Clock, 16> barriers_;
  std::unordered_map<std::uint32_t, Clock> words_;
  std::map<std::uint64_t, Mbarrier> mbarriers_;
};

}  // namespace twofour::emu::check
