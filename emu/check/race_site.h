#pragma once
// What racecheck does at an instruction.
#include <array>
#include <cstdint>
#include <memory>

#include "twofour/emu/check/race_shadow.h"

namespace twofour::emu::check {

struct RaceSite {
  enum class Kind : std::uint8_t {
    other,       ///< nothing
    collective,  ///< .sync of lanes, no memory
    load,
    matrix_load,  ///< ldmatrix, wmma.load: the lanes read together
    store,
    atomic,
    copy,
    copy_commit,
    copy_wait,
    copy_wait_all,
    copy_arrive,
    barrier,
    barrier_arrive,
    lane_barrier,
    fence,
    mbarrier_init,
    mbarrier_inval,
    mbarrier_arrive,
    mbarrier_test
  };
  Kind kind = Kind::other;
  Strength strength = Strength::weak;
  bool acquires = false, releases = false;  ///< of strong ones
  bool collective = false;                  ///< a .sync instruction
  /// Barriers: operand of the id; 0: of the whole block, else there is a count.
  std::int8_t operand = -1;
  bool whole_block = false;
};

RaceSite race_site(const ptx::Site& site);

/// What race_site said of the sites of a kernel, by their addresses.
class RaceSites {
 public:
  const RaceSite& operator[](const ptx::Site& site) {
    const auto hash = reinterpret_cast<std::uintptr_t>(&site) * 0x9e37'79b9'7f4a'7c15;
    Entry& e = (*entries_)[hash >> 52];
    if (e.site != &site) e = {&site, race_site(site)};
    return e.known;
  }

 private:
  struct Entry {
    const ptx::Site* site = nullptr;
    RaceSite known;
  };
  std::unique_ptr<std::array<Entry, 4096>> entries_ = std::make_unique<std::array<Entry, 4096>>();
};

/// Value of an integer operand in a lane; `otherwise` if there is no such operand.
std::uint64_t operand_value(ptx::Warp& warp, const ptx::Site& site, std::size_t operand, int lane,
                            std::uint64_t otherwise);

/// How an mbarrier.arrive, arrive_drop, expect_tx or complete_tx changes its object.
RaceOrder::MbarrierArrival mbarrier_arrival(ptx::Warp& warp, const ptx::Site& site, int lane);

/// What st stores.
class StoredRegisters final : public Stored {
 public:
  StoredRegisters(ptx::Warp& warp, const ptx::Site& site) : warp_(warp), site_(site) {}
  std::byte byte(int lane, std::uint64_t at) const override;

 private:
  const ptx::RegisterUse& register_of(std::size_t part) const;
  ptx::Warp& warp_;
  const ptx::Site& site_;
};

}  // namespace twofour::emu::check
