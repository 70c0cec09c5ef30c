#pragma once
// What CUDA says of a device, from a machine file, and the limits that every device of compute capability 7.5
// to 9.0 has (CUDA C++ Programming Guide, technical specifications per compute capability).
#include <cstdint>
#include <optional>
#include <string>

#include "twofour/isa/machine.h"

namespace twofour::runtime {

struct DeviceFacts {
  std::string name;  ///< as nvidia-smi prints it; of a machine that is not built in, its own name
  int major = 0, minor = 0;
  std::uint64_t memory_bytes = 0;  ///< nominal
  int memory_khz = 0, memory_bus_bits = 0;
  int clock_khz = 0;
  int sms = 0, warps_per_sm = 0, ctas_per_sm = 0, registers_per_sm = 0;
  int l2_bytes = 0;
  int shared_per_sm = 0, shared_per_cta = 48 << 10;
  int shared_optin = 0;     ///< the most a CTA may ask for
  int shared_reserved = 0;  ///< bytes of every CTA that the system takes
};

DeviceFacts device_facts(const isa::Machine& machine);

inline constexpr int max_threads_per_cta = 1024, max_block[3] = {1024, 1024, 64};
inline constexpr int max_grid[3] = {2147483647, 65535, 65535};
inline constexpr int constant_bytes = 64 << 10, registers_per_cta = 65536;

/// A device attribute by CUDA's number (cudaDeviceAttr); 0 for properties that nothing here has (textures,
/// peers, clusters). nullopt: no such attribute.
std::optional<int> device_attribute(const DeviceFacts& facts, int attribute);

/// CTAs of a kernel on one SM at once. Registers are not counted: PTX does not say how many a kernel takes.
int active_ctas(const DeviceFacts& facts, std::int64_t threads, std::int64_t shared_bytes);

}  // namespace twofour::runtime
