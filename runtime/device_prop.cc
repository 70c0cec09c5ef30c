#include "twofour/runtime/device_prop.h"

#include <algorithm>
#include <cstring>

namespace twofour::runtime {
namespace {

DevicePropHead head(const DeviceFacts& f) {
  DevicePropHead h{};
  std::strncpy(h.name, f.name.c_str(), sizeof h.name - 1);
  std::memcpy(h.uuid, "twofour emulator", sizeof h.uuid);
  h.total_global = f.memory_bytes;
  h.shared_per_block = std::size_t(f.shared_per_cta);
  h.registers_per_block = registers_per_cta;
  h.warp_size = 32;
  h.pitch = 2147483647;
  h.max_threads = max_threads_per_cta;
  std::copy_n(max_block, 3, h.max_block_size);
  return h;
}

/// The members that both layouts have under the same names.
template <class Prop>
void fill(Prop& p, const DeviceFacts& f) {
  p.head = head(f);
  std::copy_n(max_grid, 3, p.max_grid_size);
  p.total_constant = constant_bytes;
  p.major = f.major;
  p.minor = f.minor;
  p.texture_alignment = 512;
  p.texture_pitch_alignment = 32;
  p.sms = f.sms;
  p.map_host = 1;
  p.middle = {.surface_alignment = 512,
              .concurrent_kernels = 1,
              .ecc = 1,
              .pci_bus = 0,
              .pci_device = 0,
              .pci_domain = 0,
              .tcc = 0,
              .async_engines = 3,
              .unified_addressing = 1};
  p.bus_bits = f.memory_bus_bits;
  p.l2_bytes = f.l2_bytes;
  p.threads_per_sm = f.warps_per_sm * 32;
  p.priorities = p.global_l1 = p.local_l1 = 1;
  p.shared_per_sm = std::size_t(f.shared_per_sm);
  p.registers_per_sm = f.registers_per_sm;
  p.managed = p.concurrent_managed = p.direct_managed = 1;
  p.preemption = p.registered_pointers = p.host_register = p.pools = p.cooperative = 1;
  p.shared_optin = std::size_t(f.shared_optin);
  p.ctas_per_sm = f.ctas_per_sm;
  p.shared_reserved = std::size_t(f.shared_reserved);
}

}  // namespace

DeviceProp12 device_prop_12(const DeviceFacts& facts) {
  DeviceProp12 p{};
  fill(p, facts);
  p.clock_khz = facts.clock_khz;
  p.memory_khz = facts.memory_khz;
  p.overlap = 1;
  p.single_to_double = device_attribute(facts, 87).value_or(0);
  return p;
}

DeviceProp13 device_prop_13(const DeviceFacts& facts) {
  DeviceProp13 p{};
  fill(p, facts);
  return p;
}

}  // namespace twofour::runtime
