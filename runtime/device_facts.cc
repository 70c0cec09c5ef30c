#include "twofour/runtime/device_facts.h"

#include <algorithm>

namespace twofour::runtime {
namespace {

/// Of data sheets; machine files have bandwidth, not what it is made of.
struct Board {
  const char *machine, *name;
  int memory_gib, memory_mhz, bus_bits;
};
constexpr Board boards[] = {
    {"a100-sxm4-80gb", "NVIDIA A100-SXM4-80GB", 80, 1593, 5120},
    {"a100-sxm4-40gb", "NVIDIA A100-SXM4-40GB", 40, 1215, 5120},
    {"a100-pcie", "NVIDIA A100 80GB PCIe", 80, 1512, 5120},
    {"a30", "NVIDIA A30", 24, 1215, 3072},
    {"a10", "NVIDIA A10", 24, 6251, 384},
    {"h100-sxm", "NVIDIA H100 80GB HBM3", 80, 2619, 5120},
    {"h200", "NVIDIA H200", 140, 3201, 6144},
    {"rtx-3090", "NVIDIA GeForce RTX 3090", 24, 9751, 384},
    {"t4", "Tesla T4", 16, 5001, 256},
};

void set_board(DeviceFacts& facts, const isa::Machine& machine) {
  facts.name = machine.name;
  facts.memory_bytes = std::uint64_t{16} << 30;
  facts.memory_bus_bits = 256;
  facts.memory_khz = int(std::min(2e9, machine.dram_read_gbs * 1e6 * 8 / 2 / 256));
  for (const Board& b : boards)
    if (machine.name == b.machine) {
      facts.name = b.name;
      facts.memory_bytes = std::uint64_t(b.memory_gib) << 30;
      facts.memory_khz = b.memory_mhz * 1000;
      facts.memory_bus_bits = b.bus_bits;
    }
}

/// Properties that are the same everywhere, or that say what this library can do.
std::optional<int> fixed_attribute(int attribute) {
  switch (attribute) {
    case 1: return max_threads_per_cta;
    case 2: return max_block[0];
    case 3: return max_block[1];
    case 4: return max_block[2];
    case 5: return max_grid[0];
    case 6: return max_grid[1];
    case 7: return max_grid[2];
    case 9: return constant_bytes;
    case 10: return 32;          // lanes of a warp
    case 11: return 2147483647;  // pitch
    case 12: return registers_per_cta;
    case 14:
    case 30: return 512;  // alignment of textures and surfaces
    case 51: return 32;   // their pitch
    case 15:
    case 19:
    case 31: return 1;  // overlap, mapped host memory, concurrent kernels
    case 32: return 1;  // ECC
    case 40: return 3;  // copy engines
    case 41: return 1;  // unified addresses
    case 78:
    case 79:
    case 80: return 1;  // stream priorities, L1 caches
    case 83:
    case 89:
    case 101: return 1;  // managed memory
    case 95: return 1;   // cooperative launches
    case 90:
    case 91:
    case 99: return 1;   // preemption, registered memory
    case 115: return 1;  // memory pools
    default: return std::nullopt;
  }
}

}  // namespace

DeviceFacts device_facts(const isa::Machine& machine) {
  DeviceFacts facts;
  set_board(facts, machine);
  const int sm = int(machine.compute_capability);
  facts.major = sm / 10;
  facts.minor = sm % 10;
  facts.clock_khz = int(machine.boost_mhz * 1000);
  facts.sms = int(machine.sms);
  facts.warps_per_sm = int(machine.max_warps_per_sm);
  facts.ctas_per_sm = int(machine.max_ctas_per_sm);
  facts.registers_per_sm = int(machine.registers_per_sm);
  facts.l2_bytes = int(machine.l2_mib * (1 << 20));
  facts.shared_per_sm = int(machine.smem_per_sm);
  facts.shared_optin = int(machine.smem_per_cta);
  facts.shared_reserved = facts.major >= 8 ? 1024 : 0;
  return facts;
}

std::optional<int> device_attribute(const DeviceFacts& f, int attribute) {
  if (attribute < 1 || attribute > 147) return std::nullopt;
  if (const auto fixed = fixed_attribute(attribute)) return fixed;
  switch (attribute) {
    case 8: return f.shared_per_cta;
    case 13: return f.clock_khz;
    case 16: return f.sms;
    case 36: return f.memory_khz;
    case 37: return f.memory_bus_bits;
    case 38: return f.l2_bytes;
    case 39: return f.warps_per_sm * 32;
    case 75: return f.major;
    case 76: return f.minor;
    case 81: return f.shared_per_sm;
    case 82: return f.registers_per_sm;
    case 87: return f.major == 8 && f.minor == 0 ? 2 : f.major == 9 ? 2 : 32;  // f32 to f64 rate
    case 97: return f.shared_optin;
    case 106: return f.ctas_per_sm;
    case 111: return f.shared_reserved;
    default: return 0;
  }
}

int active_ctas(const DeviceFacts& facts, std::int64_t threads, std::int64_t shared_bytes) {
  if (threads < 1 || threads > max_threads_per_cta || shared_bytes > facts.shared_optin) return 0;
  const std::int64_t by_warps = facts.warps_per_sm / ((threads + 31) / 32);
  const std::int64_t shared = (shared_bytes + facts.shared_reserved + 127) / 128 * 128;
  const std::int64_t by_shared = shared > 0 ? facts.shared_per_sm / shared : facts.ctas_per_sm;
  return int(std::min({std::int64_t(facts.ctas_per_sm), by_warps, by_shared}));
}

}  // namespace twofour::runtime
