#include "twofour/emu/timing/sm_parameters.h"

#include <algorithm>

namespace twofour::emu {

MemoryShare equal_share(const isa::Machine& machine) {
  const double l2 = machine.bytes_per_clk(machine.l2_read_gbs) / machine.sms;
  const double dram = machine.bytes_per_clk(machine.dram_read_gbs) / machine.sms;
  return {.l2_bytes_per_clk = std::min(l2, machine.l2_bytes_per_clk_sm), .dram_bytes_per_clk = dram};
}

}  // namespace twofour::emu
