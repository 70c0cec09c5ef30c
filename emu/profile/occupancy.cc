#include "twofour/emu/profile/occupancy.h"

#include <algorithm>
#include <array>

namespace twofour::emu::profile {

Occupancy occupancy(const BlockNeeds& needs, const isa::Machine& machine) {
  constexpr double shared_unit = 1024, system_shared = 1024, register_unit = 8;
  const double warps = (needs.threads + 31) / 32;
  const double all = machine.registers_per_sm;
  const double units = double((needs.registers + 7) / 8);
  const double registers = std::max(std::min(units * register_unit * 32 * warps, all), 1.0);
  const double shared = double((needs.shared + 1023) / 1024) * shared_unit + system_shared;
  struct Bound {
    double blocks;
    std::string_view name;
  };
  const std::array<Bound, 4> bounds{{{machine.max_warps_per_sm / std::max(warps, 1.0), "warps"},
                                     {machine.registers_per_sm / registers, "registers"},
                                     {machine.smem_per_sm / shared, "shared memory"},
                                     {machine.max_ctas_per_sm, "blocks"}}};
  const auto least = std::min_element(bounds.begin(), bounds.end(), [](const Bound& a, const Bound& b) {
    return int(a.blocks) < int(b.blocks);
  });
  return {std::max(int(least->blocks), 1), least->name};
}

}  // namespace twofour::emu::profile
