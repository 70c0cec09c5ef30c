// racecheck: hazards in shared memory. Global memory is not looked at, nor the global side of cp.async.
// A block is watched for its first 2^32 instructions that touch shared memory or order lanes.
// Two lanes of one cp.async that fill the same bytes are taken to bring the same; strong accesses of
// different sizes that overlap are taken for morally strong. Stores are compared by value only among weak
// ones.
#include <bit>

#include "twofour/emu/check/checkers.h"
#include "twofour/emu/check/race_report.h"
#include "twofour/emu/check/race_site.h"
#include "twofour/emu/ptx/memory.h"

namespace twofour::emu::check {
namespace {

using ptx::for_lanes;
using ptx::shared_window;
using Kind = RaceSite::Kind;

class RaceBlock final : public ptx::BlockObserver {
 public:
  explicit RaceBlock(Findings& findings) : report_(findings) {}

  void begin(ptx::Cta& cta) override {
    order_.begin(cta.warp_count());
    warps_.assign(std::size_t(cta.warp_count()), nullptr);
    memory_ = cta.shared();
    shadow_.begin(memory_);
  }
  void end(ptx::Cta&) override { report_.flush(); }

  void before(ptx::Warp& warp, const ptx::Site& site, std::uint32_t lanes) override {
    const RaceSite& known = sites_[site];
    if (known.kind == Kind::other || lanes == 0) return;
    warps_[std::size_t(warp.index())] = &warp;
    order_.next();
    switch (known.kind) {
      case Kind::load:
      case Kind::matrix_load:
      case Kind::store:
      case Kind::atomic:
      case Kind::copy: access(warp, site, known, lanes); break;
      case Kind::copy_commit: order_.commit(warp.index(), lanes); break;
      case Kind::copy_wait: wait(warp, lanes, operand_value(warp, site, 0, 0, 0)); break;
      case Kind::copy_wait_all:
        order_.commit(warp.index(), lanes);
        wait(warp, lanes, 0);
        break;
      case Kind::barrier:
      case Kind::barrier_arrive: arrive(warp, site, known, lanes); break;
      case Kind::lane_barrier: lane_barrier(warp, site, lanes); break;
      case Kind::fence: order_.fence(warp.index()); break;
      case Kind::collective: break;
      default: mbarrier(warp, site, known, lanes); break;
    }
    if (known.collective && known.kind != Kind::lane_barrier && lanes == warp.live())
      order_.meet(warp.index());
    for (const Conflict& c : shadow_.conflicts()) report_.add(warp, c);
    shadow_.conflicts().clear();
  }

  void after(ptx::Warp& warp, const ptx::Site& site, std::uint32_t lanes) override {
    const RaceSite& known = sites_[site];
    if (known.kind != Kind::mbarrier_test || site.writes.empty()) return;
    lanes &= *warp.reg<std::uint32_t>(site.writes.front().at);
    if (!known.acquires) return;
    std::uint64_t at[ptx::lanes_of_warp];
    ptx::addresses_of(warp, site.memory.front().address, at);
    for_lanes(lanes, [&](int l) { order_.mbarrier_passed(warp.index(), at[l] - shared_window); });
  }

  void barrier(ptx::Cta&, std::uint32_t id, std::span<ptx::Warp* const> warps) override {
    std::vector<int> leaving, ended;
    for (const ptx::Warp* w : warps) leaving.push_back(w->index());
    if (whole_block_[id % 16])
      for (const ptx::Warp* w : warps_)
        if (w != nullptr && w->state() == ptx::Warp::State::done) ended.push_back(w->index());
    order_.leave(id, leaving, ended);
  }

 private:
  /// Calls f(lanes, offset) for neighbouring lanes of the same address in shared memory.
  template <class F>
  void for_shared(ptx::Warp& warp, const ptx::MemoryUse& use, std::uint32_t lanes, F&& f) {
    std::uint64_t at[ptx::lanes_of_warp];
    ptx::addresses_of(warp, use.address, at);
    if (use.rows < ptx::lanes_of_warp) lanes &= (1u << use.rows) - 1;
    while (lanes != 0) {
      const int first = std::countr_zero(lanes);
      std::uint32_t same = 1u << first;
      for (int l = first + 1; l < ptx::lanes_of_warp && (lanes >> l & 1) != 0 && at[l] == at[first]; ++l)
        same |= 1u << l;
      lanes &= ~same;
      const std::uint64_t offset = at[first] - shared_window;
      if (offset < memory_.size() && use.size <= memory_.size() - offset) f(same, offset);
    }
  }

  void access(ptx::Warp& warp, const ptx::Site& site, const RaceSite& known, std::uint32_t lanes) {
    const ptx::MemoryUse& use = site.memory.front();
    Access a{&site, order_.now(), lanes, std::int16_t(warp.index()), 0, known.strength, false, false};
    if (use.elements != nullptr) return elements(warp, use, known, a);
    if (known.kind == Kind::matrix_load)
      return for_shared(warp, use, lanes, [&](std::uint32_t, std::uint64_t offset) {
        shadow_.read(order_, a, offset, use.size);
      });
    if (known.kind == Kind::load)
      return for_shared(warp, use, lanes, [&](std::uint32_t same, std::uint64_t offset) {
        a.lanes = same;
        if (known.strength != Strength::weak) strong_load(warp, known, offset, use.size);
        shadow_.read(order_, a, offset, use.size);
      });
    if (known.kind == Kind::atomic) return atomic(warp, use, a);
    a.copy = known.kind == Kind::copy;
    const StoredRegisters stored(warp, site);
    for_shared(warp, use, lanes, [&](std::uint32_t same, std::uint64_t offset) {
      for_lanes(same, [&](int l) {
        a.lanes = 1u << l;
        shadow_.write(order_, a, offset, use.size, a.copy ? nullptr : &stored);
      });
      store_order(warp, known, offset, use.size);
    });
  }

  /// wmma.load and wmma.store.
  void elements(ptx::Warp& warp, const ptx::MemoryUse& use, const RaceSite& known, Access a) {
    ptx::for_accesses(warp, use, a.lanes, [&](int l, std::uint64_t address, std::uint64_t bytes) {
      const std::uint64_t offset = address - shared_window;
      if (offset >= memory_.size() || bytes > memory_.size() - offset) return;
      a.lanes = 1u << l;
      if (known.kind == Kind::matrix_load)
        shadow_.read(order_, a, offset, bytes);
      else
        shadow_.write(order_, a, offset, bytes, nullptr);
    });
  }

  void atomic(ptx::Warp& warp, const ptx::MemoryUse& use, Access a) {
    for_shared(warp, use, a.lanes, [&](std::uint32_t, std::uint64_t offset) {
      for (std::uint64_t word = offset / 4; word * 4 < offset + use.size; ++word)
        order_.atomic(warp.index(), std::uint32_t(word));
    });
    for_shared(warp, use, a.lanes, [&](std::uint32_t same, std::uint64_t offset) {
      a.lanes = same;
      shadow_.write(order_, a, offset, use.size, nullptr);
    });
  }

  void strong_load(ptx::Warp& warp, const RaceSite& known, std::uint64_t offset, std::uint64_t size) {
    for (std::uint64_t word = offset / 4; word * 4 < offset + size; ++word)
      order_.strong_load(warp.index(), std::uint32_t(word), known.acquires);
  }
  void store_order(ptx::Warp& warp, const RaceSite& known, std::uint64_t offset, std::uint64_t size) {
    for (std::uint64_t word = offset / 4; word * 4 < offset + size; ++word) {
      if (known.strength == Strength::weak)
        order_.forget(std::uint32_t(word));
      else
        order_.strong_store(warp.index(), std::uint32_t(word), known.releases);
    }
  }

  void wait(ptx::Warp& warp, std::uint32_t lanes, std::uint64_t left) {
    order_.wait_group(warp.index(), lanes, left);
  }

  void arrive(ptx::Warp& warp, const ptx::Site& site, const RaceSite& known, std::uint32_t lanes) {
    const std::uint64_t id =
        operand_value(warp, site, std::size_t(known.operand), std::countr_zero(lanes), 0);
    whole_block_[id % 16] = known.whole_block;
    order_.arrive(warp.index(), std::uint32_t(std::min<std::uint64_t>(id, 16)));
  }
  void lane_barrier(ptx::Warp& warp, const ptx::Site& site, std::uint32_t lanes) {
    for (std::uint32_t left = lanes; left != 0;) {
      const int first = std::countr_zero(left);
      const auto members = std::uint32_t(operand_value(warp, site, 0, first, ~0u));
      std::uint32_t group = 0;
      for_lanes(left, [&](int l) {
        group |= std::uint32_t(std::uint32_t(operand_value(warp, site, 0, l, ~0u)) == members) << l;
      });
      left &= ~group;
      const std::uint32_t there = (members | group) & warp.live();
      order_.sync_lanes(warp.index(), there, there == warp.live());
    }
  }

  /// Tests order when they are done, in after().
  void mbarrier(ptx::Warp& warp, const ptx::Site& site, const RaceSite& known, std::uint32_t lanes) {
    Access a{&site, order_.now(), lanes, std::int16_t(warp.index()), 0, known.strength, false, false};
    for_shared(warp, site.memory.front(), lanes, [&](std::uint32_t same, std::uint64_t offset) {
      a.lanes = same;
      if (known.kind == Kind::mbarrier_test) return shadow_.read(order_, a, offset, 8);
      shadow_.write(order_, a, offset, 8, nullptr);
      for_lanes(same, [&](int l) { change_mbarrier(warp, site, known, l, offset); });
    });
  }
  void change_mbarrier(ptx::Warp& warp, const ptx::Site& site, const RaceSite& known, int lane,
                       std::uint64_t offset) {
    switch (known.kind) {
      case Kind::mbarrier_init: order_.mbarrier_init(offset, operand_value(warp, site, 1, lane, 0)); break;
      case Kind::mbarrier_inval: order_.mbarrier_inval(offset); break;
      case Kind::copy_arrive:
        order_.mbarrier_copies(warp.index(), lane, offset, site.instruction().has("noinc"));
        break;
      default: order_.mbarrier_arrive(warp.index(), offset, mbarrier_arrival(warp, site, lane)); break;
    }
  }

  RaceOrder order_;
  RaceShadow shadow_;
  RaceSites sites_;
  RaceReport report_;
  std::span<const std::byte> memory_;
  std::vector<const ptx::Warp*> warps_;  ///< null until they run
  std::array<bool, 16> whole_block_ = {};
};

class Racecheck final : public ptx::Observer {
 public:
  explicit Racecheck(Findings& findings) : findings_(findings) {}
  std::unique_ptr<ptx::BlockObserver> observe(ptx::Grid&) override {
    return std::make_unique<RaceBlock>(findings_);
  }

 private:
  Findings& findings_;
};

}  // namespace

std::unique_ptr<ptx::Observer> make_racecheck(Findings& findings) {
  return std::make_unique<Racecheck>(findings);
}

}  // namespace twofour::emu::check
