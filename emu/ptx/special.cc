// Special registers (PTX ISA 9.0, chapter 10).
#include "twofour/emu/ptx/cta.h"
#include "twofour/emu/ptx/decode.h"

namespace twofour::emu::ptx {
namespace {

/// Value of what is the same in all lanes; `number`: of an environment register.
std::uint64_t uniform_value(Warp& warp, Special special, std::int64_t number) {
  const Cta& cta = warp.cta();
  const Grid& grid = warp.cta().grid();
  const isa::Machine& machine = *grid.machine;
  const std::uint64_t shared = grid.kernel->static_shared + grid.dynamic_shared;
  switch (special) {
    case Special::ntid_x: return grid.block.x;
    case Special::ntid_y: return grid.block.y;
    case Special::ntid_z: return grid.block.z;
    case Special::ctaid_x:
    case Special::clusterid_x: return cta.index().x;
    case Special::ctaid_y:
    case Special::clusterid_y: return cta.index().y;
    case Special::ctaid_z:
    case Special::clusterid_z: return cta.index().z;
    case Special::nctaid_x:
    case Special::nclusterid_x: return grid.grid.x;
    case Special::nctaid_y:
    case Special::nclusterid_y: return grid.grid.y;
    case Special::nctaid_z:
    case Special::nclusterid_z: return grid.grid.z;
    case Special::cluster_nctaid_x:
    case Special::cluster_nctaid_y:
    case Special::cluster_nctaid_z:
    case Special::cluster_nctarank: return 1;
    case Special::warpid: return std::uint64_t(warp.index());
    case Special::nwarpid: return std::uint64_t(machine.max_warps_per_sm);
    case Special::smid: return cta.linear_index() % std::uint64_t(machine.sms);
    case Special::nsmid: return std::uint64_t(machine.sms);
    case Special::gridid: return grid.id;
    case Special::warp_size: return lanes_of_warp;
    // Deterministic: what the warp executed so far; 16 cycles each, about what a loop that waits for a time
    // takes, and 8 nanoseconds.
    case Special::clock:
    case Special::clock64: return warp.instructions() * 16;
    case Special::clock_hi: return warp.instructions() * 16 >> 32;
    case Special::globaltimer:
    case Special::globaltimer_lo: return warp.instructions() * 8;
    case Special::globaltimer_hi: return warp.instructions() * 8 >> 32;
    case Special::dynamic_smem_size: return grid.dynamic_shared;
    case Special::total_smem_size:
    case Special::aggr_smem_size: return shared;
    case Special::envreg: return number == 1 ? grid.workspace >> 32 : number == 2 ? grid.workspace : 0;
    default: return 0;  // clusters of one block
  }
}

std::uint64_t lane_value(Warp& warp, Special special, int lane) {
  const auto bit = std::uint32_t{1} << lane;
  switch (special) {
    case Special::tid_x:
    case Special::tid_y:
    case Special::tid_z: {
      const Dim3& b = warp.cta().grid().block;
      const auto thread = std::uint32_t(warp.index() * lanes_of_warp + lane);
      if (special == Special::tid_x) return thread % b.x;
      return special == Special::tid_y ? thread / b.x % b.y : thread / b.x / b.y;
    }
    case Special::laneid: return std::uint64_t(lane);
    case Special::lanemask_eq: return bit;
    case Special::lanemask_lt: return bit - 1;
    case Special::lanemask_le: return bit | (bit - 1);
    case Special::lanemask_gt: return ~(bit | (bit - 1));
    default: return ~(bit - 1);  // lanemask_ge
  }
}

bool by_lane(Special s) {
  return s <= Special::tid_z || s == Special::laneid ||
         (s >= Special::lanemask_eq && s <= Special::lanemask_gt);
}

}  // namespace

void read_special(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto special = Special(op.detail);
  const bool varies = by_lane(special);
  const std::uint64_t same = varies ? 0 : uniform_value(warp, special, op.immediate >> 8);
  for_lanes(lanes, [&](int l) {
    const std::uint64_t value = varies ? lane_value(warp, special, l) : same;
    const std::int64_t bytes = op.immediate & 0xff;
    std::memcpy(warp.reg<std::byte>(op.d[0]) + l * bytes, &value, std::size_t(bytes));
  });
}

}  // namespace twofour::emu::ptx
