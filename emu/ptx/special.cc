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

using LaneValues = std::array<std::uint64_t, lanes_of_warp>;

/// %tid of the lanes, one after the other.
void thread_values(Warp& warp, Special special, LaneValues& out) {
  const Dim3& b = warp.cta().grid().block;
  const auto first = std::uint32_t(warp.index() * lanes_of_warp);
  Dim3 at{first % b.x, first / b.x % b.y, first / b.x / b.y};
  for (std::uint64_t& value : out) {
    value = special == Special::tid_x ? at.x : special == Special::tid_y ? at.y : at.z;
    if (++at.x < b.x) continue;
    at.x = 0;
    if (++at.y < b.y) continue;
    at.y = 0;
    ++at.z;
  }
}

std::uint64_t lane_value(Special special, int lane) {
  const auto bit = std::uint32_t{1} << lane;
  switch (special) {
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

template <class Word>
void put(Warp& warp, const Op& op, std::uint32_t lanes, const LaneValues& values) {
  for_lanes(lanes, [&, d = warp.reg<Word>(op.d[0])](int l) { d[l] = Word(values[std::size_t(l)]); });
}

}  // namespace

void read_special(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto special = Special(op.detail);
  LaneValues values;
  if (special <= Special::tid_z)
    thread_values(warp, special, values);
  else if (by_lane(special))
    for (int l = 0; l < lanes_of_warp; ++l) values[std::size_t(l)] = lane_value(special, l);
  else
    values.fill(uniform_value(warp, special, op.immediate >> 8));
  switch (op.immediate & 0xff) {
    case 2: return put<std::uint16_t>(warp, op, lanes, values);
    case 4: return put<std::uint32_t>(warp, op, lanes, values);
    default: return put<std::uint64_t>(warp, op, lanes, values);
  }
}

}  // namespace twofour::emu::ptx
