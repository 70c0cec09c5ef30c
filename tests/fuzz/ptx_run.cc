// Kernels of any text, run on a small device: refused or done, and what observers count is what ran.
#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

#include "targets.h"
#include "twofour/emu/profile/launches.h"
#include "twofour/emu/ptx/device.h"
#include "twofour/isa/error.h"

namespace twofour::fuzz {
namespace {

using namespace emu::ptx;

constexpr std::uint64_t buffer_bytes = 4096, limit = 20'000;
constexpr int most_kernels = 4;

DeviceOptions options() {
  DeviceOptions o;
  o.memory_bytes = 1 << 20;
  o.threads = 1;
  o.instruction_limit = limit;
  o.print = [](std::string_view) {};
  return o;
}

/// Parameters of 8 bytes are buffers, others hold 7.
std::vector<std::byte> parameters(Device& device, const Function& f) {
  std::vector<std::byte> bytes;
  for (const Variable& v : f.parameters) {
    if (v.bytes > 4096 || bytes.size() > 4096) return bytes;
    const auto align = std::size_t(std::max(v.align, 1));
    bytes.resize((bytes.size() + align - 1) / align * align + std::size_t(v.bytes));
    const std::uint64_t value = v.bytes == 8 ? device.allocate(buffer_bytes) : 7;
    if (v.bytes == 8 || v.bytes == 4)
      std::memcpy(bytes.data() + bytes.size() - std::size_t(v.bytes), &value, std::size_t(v.bytes));
  }
  return bytes;
}

/// Launches every kernel; the instructions executed, or 0 if one failed.
std::uint64_t run(const Module& m, const DeviceOptions& o) {
  static const isa::Machine machine = isa::load_machine("a100-sxm4-40gb");
  std::uint64_t executed = 0;
  int kernels = 0;
  try {
    Device device(machine, o);
    const auto module = device.load(m);
    for (const Function& f : m.functions) {
      if (!f.entry || f.external || ++kernels > most_kernels) continue;
      const auto bytes = parameters(device, f);
      executed += device.launch(*module, f.name, {{2, 1, 1}, {48, 1, 1}, 256, bytes}).warp_instructions;
    }
  } catch (const Error& e) {
    if (*e.what() == '\0') throw std::logic_error("a refusal without words");
    return 0;
  }
  return executed;
}

}  // namespace

void ptx_run(Bytes bytes) {
  Module m;
  try {
    m = parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, "f");
  } catch (const Error&) {
    return;
  }
  const std::uint64_t executed = run(m, options());
  emu::profile::Launches launches;
  DeviceOptions observed = options();
  observed.observers = {&launches};
  if (run(m, observed) != executed) throw std::logic_error("observers change what runs");
  std::uint64_t counted = 0;
  const auto document = launches.json();
  for (const auto& launch : document["launches"]) counted += launch["instructions"].get<std::uint64_t>();
  if (executed != 0 && counted != executed) throw std::logic_error("an instruction is not counted");
}

}  // namespace twofour::fuzz
