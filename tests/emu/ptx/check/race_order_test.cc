// Random accesses and synchronisations: the bytes that race, by clocks and by the oracle.
#include <gtest/gtest.h>

#include <bit>
#include <numeric>
#include <random>

#include "race_oracle.h"
#include "twofour/emu/check/race_shadow.h"

namespace twofour::emu::check::test {
namespace {

constexpr int warps = 3, words = 3;
constexpr std::uint32_t all = (1u << oracle_lanes) - 1;
constexpr std::uint64_t mbarrier = 64;

/// Runs the same random block by both.
class RandomBlock {
 public:
  RandomBlock(std::uint32_t seed, std::vector<int> kinds)
      : random_(seed), kinds_(std::move(kinds)), oracle_(warps) {
    order_.begin(warps);
    shadow_.begin(memory_);
    order_.mbarrier_init(mbarrier, 2);
    for (auto& n : expected_) n = 1 + below(warps);
  }

  void run(int events) {
    for (int e = 0; e < events; ++e) {
      std::vector<int> ready;
      for (int w = 0; w < warps; ++w)
        if (waits_at_[std::size_t(w)] < 0) ready.push_back(w);
      if (ready.empty()) return;
      warp_ = ready[std::size_t(below(int(ready.size())))];
      order_.next();
      oracle_.next(warp_);
      act();
    }
  }
  std::set<std::uint32_t> found() {
    std::set<std::uint32_t> bytes;
    for (const Conflict& c : shadow_.conflicts())
      for (std::uint32_t b = 0; b < 4; ++b)
        if ((c.earlier.bytes & c.later.bytes) >> b & 1) bytes.insert(std::uint32_t(c.offset) + b);
    return bytes;
  }
  std::set<std::uint32_t> expected() const { return oracle_.racy_bytes(); }

 private:
  int below(int n) { return int(random_() % std::uint32_t(n)); }
  std::uint32_t some_lanes() { return below(2) == 0 ? all : 1 + std::uint32_t(below(all)); }

  void act() {
    const int kind = kinds_[std::size_t(below(int(kinds_.size())))];
    switch (kind) {
      default: return access();
      case 8: return barrier(below(2), true);
      case 9: return barrier(below(2), false);
      case 10: return sync_lanes();
      case 11: order_.meet(warp_); return oracle_.meet();
      case 12: return atomic();
      case 13: return strong();
      case 14: return fence();
      case 15: return copy();
      case 16: return copy();
      case 17: return commit();
      case 18: return wait();
      case 19: return arrive();
      case 20: return pass();
      case 21: return copies_arrive();
      case 22: return touch(0, std::uint32_t(below(words)) * 4, 4, below(2) == 0, false, Strength::weak);
      case 23: return touch(0, std::uint32_t(below(words)) * 4, 4, true, true, Strength::weak);
      case 24:
        return touch(below(oracle_lanes), std::uint32_t(below(words)) * 4, 4, below(3) == 0, false,
                     Strength::weak);
    }
  }

  Access made(std::uint32_t lanes, Strength strength, bool copy) const {
    return {nullptr, order_.now(), lanes, std::int16_t(warp_), 0, strength, copy, false};
  }
  void touch(int lane, std::uint32_t first, std::uint32_t size, bool writes, bool is_copy,
             Strength strength) {
    oracle_.touch({lane, first, size, !writes, writes, is_copy, strength});
    const Access a = made(1u << lane, strength, is_copy);
    if (!writes) return shadow_.read(order_, a, first, size);
    shadow_.write(order_, a, first, size, nullptr);
    if (strength == Strength::weak)
      for (std::uint32_t w = first / 4; w * 4 < first + size; ++w) {
        order_.forget(w);
        released_[w] = {};
      }
  }
  /// Lanes at the same bytes, or each at its own.
  void access() {
    const bool writes = below(3) == 0;
    const std::uint32_t lanes = some_lanes(), size = 1u << below(4);
    const auto place = [&] { return std::uint32_t(below(words * 4 / int(std::min(size, 4u)))) * size % 12; };
    const std::uint32_t together = place();
    const bool same = below(3) != 0;
    ptx::for_lanes(lanes, [&](int l) {
      const std::uint32_t first = same ? together : place();
      touch(l, first, std::min(size, 12 - first), writes, false, Strength::weak);
    });
  }

  void barrier(int id, bool waits) {
    const auto b = std::size_t(id);
    order_.arrive(warp_, std::uint32_t(id));
    oracle_.release(barriers_[b]);
    if (waits) {
      waits_at_[std::size_t(warp_)] = id;
      came_[std::size_t(warp_)] = oracle_.instruction();
    }
    if (++arrived_[b] < expected_[b]) return;
    std::vector<int> leaving;
    for (int w = 0; w < warps; ++w) {
      if (waits_at_[std::size_t(w)] != id) continue;
      waits_at_[std::size_t(w)] = -1;
      leaving.push_back(w);
      oracle_.acquire(barriers_[b], came_[std::size_t(w)]);
    }
    order_.leave(std::uint32_t(id), leaving, {});
    barriers_[b] = {};
    arrived_[b] = 0;
  }

  void sync_lanes() {
    const std::uint32_t lanes = some_lanes();
    order_.sync_lanes(warp_, lanes, lanes == all);
    oracle_.sync_lanes(lanes);
  }

  void atomic() {
    const auto word = std::uint32_t(below(words));
    order_.atomic(warp_, word);
    oracle_.acquire(released_[word]);
    oracle_.release(released_[word]);
    ptx::for_lanes(some_lanes(), [&](int l) { touch(l, word * 4, 4, true, false, Strength::strong); });
  }
  /// ld or st: volatile, relaxed, acquire or release.
  void strong() {
    const auto word = std::uint32_t(below(words));
    const bool writes = below(2) == 0, orders = below(3) == 0;
    const Strength strength = orders || below(2) == 0 ? Strength::strong : Strength::volatile_;
    const int lane = below(oracle_lanes);
    if (!writes) {
      order_.strong_load(warp_, word, orders);
      if (orders)
        oracle_.acquire(released_[word]);
      else
        append(seen_[std::size_t(warp_)], released_[word]);
    }
    touch(lane, word * 4, 4, writes, false, strength);
    if (!writes) return;
    order_.strong_store(warp_, word, orders);
    released_[word] = {};
    if (orders)
      oracle_.release(released_[word]);
    else
      released_[word] = fenced_[std::size_t(warp_)];
  }
  void fence() {
    order_.fence(warp_);
    oracle_.acquire(std::exchange(seen_[std::size_t(warp_)], {}));
    fenced_[std::size_t(warp_)] = {};
    oracle_.release(fenced_[std::size_t(warp_)]);
  }

  /// Lanes of one instruction fill different bytes.
  void copy() {
    const int first = below(oracle_lanes);
    if (below(2) == 0) return touch(first, std::uint32_t(below(2)) * 4, 8, true, true, Strength::weak);
    for (int word = 0; word < words; ++word)
      if (below(2) == 0)
        touch((first + word) % oracle_lanes, std::uint32_t(word) * 4, 4, true, true, Strength::weak);
  }
  void commit() {
    const std::uint32_t lanes = some_lanes();
    order_.commit(warp_, lanes);
    oracle_.commit(lanes);
  }
  void wait() {
    const std::uint32_t lanes = some_lanes();
    const int left = below(3);
    order_.wait_group(warp_, lanes, std::uint64_t(left));
    oracle_.wait_group(lanes, std::size_t(left));
  }

  void arrived_at_mbarrier() {
    if (--pending_ != 0) return;
    passed_ = std::exchange(gathered_, {});
    pending_ = 2;
  }
  void arrive() {
    order_.mbarrier_arrive(warp_, mbarrier, {.count = 1});
    oracle_.release(gathered_);
    arrived_at_mbarrier();
  }
  void pass() {
    order_.mbarrier_passed(warp_, mbarrier);
    oracle_.acquire(passed_);
  }
  void copies_arrive() {
    const int lane = below(oracle_lanes);
    const bool counts = below(2) == 0;
    order_.mbarrier_copies(warp_, lane, mbarrier, counts);
    oracle_.release(gathered_);
    oracle_.release_copies(gathered_, lane);
    if (counts) arrived_at_mbarrier();
  }

  static void append(RaceOracle::Released& to, const RaceOracle::Released& from) {
    to.instructions.insert(to.instructions.end(), from.instructions.begin(), from.instructions.end());
    to.copies.insert(to.copies.end(), from.copies.begin(), from.copies.end());
  }

  std::mt19937 random_;
  std::vector<int> kinds_;  ///< what act() chooses from
  int warp_ = 0;
  RaceOrder order_;
  RaceShadow shadow_;
  RaceOracle oracle_;
  std::array<std::byte, words* 4> memory_ = {};
  std::array<int, warps> waits_at_{-1, -1, -1}, came_ = {};
  std::array<int, 2> arrived_ = {}, expected_ = {};
  int pending_ = 2;
  std::array<RaceOracle::Released, 2> barriers_;
  std::map<std::uint32_t, RaceOracle::Released> released_;
  std::array<RaceOracle::Released, warps> seen_, fenced_;
  RaceOracle::Released gathered_, passed_;
};

/// Blocks of few events have races on some bytes, those of many on most.
void compare(const std::vector<int>& kinds, std::uint32_t first_seed) {
  int racy = 0, clean = 0;
  for (std::uint32_t seed = first_seed; seed < first_seed + 4000; ++seed) {
    RandomBlock block(seed, kinds);
    block.run(6 + int(seed % 75));
    const auto expected = block.expected();
    ASSERT_EQ(block.found(), expected) << "seed " << seed;
    racy += int(expected.size());
    clean += words * 4 - int(expected.size());
  }
  EXPECT_GT(racy, 2000);
  EXPECT_GT(clean, 2000);
}
/// All kinds below this one.
std::vector<int> below_kind(int end) {
  std::vector<int> kinds(std::size_t(end), 0);
  std::iota(kinds.begin(), kinds.end(), 0);
  return kinds;
}

TEST(RaceOrder, BarriersEqualTheOracle) {
  compare(below_kind(10), 1);
}
TEST(RaceOrder, LanesEqualTheOracle) {
  compare(below_kind(12), 100'000);
}
TEST(RaceOrder, AtomicsAndFencesEqualTheOracle) {
  compare(below_kind(15), 200'000);
}
TEST(RaceOrder, CopiesEqualTheOracle) {
  compare(below_kind(19), 300'000);
}
TEST(RaceOrder, MbarriersEqualTheOracle) {
  compare(below_kind(22), 400'000);
}
// One lane at a time: fewer races, so that each order counts.
TEST(RaceOrder, LanesOneAtATimeEqualTheOracle) {
  compare({24, 24, 24, 10, 10, 11, 8}, 700'000);
}
TEST(RaceOrder, CopiesOfOneLaneEqualTheOracle) {
  compare({22, 23, 23, 17, 17, 18, 18, 8}, 500'000);
}
TEST(RaceOrder, MbarriersOfOneLaneEqualTheOracle) {
  compare({22, 22, 19, 19, 20, 20, 21, 23}, 600'000);
}

}  // namespace
}  // namespace twofour::emu::check::test
