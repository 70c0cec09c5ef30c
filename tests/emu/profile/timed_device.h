#pragma once
// PTX texts through the whole chain: parsed, executed, recorded, simulated.
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "twofour/emu/profile/launch_time.h"
#include "twofour/emu/profile/tracer.h"
#include "twofour/emu/timing/sm_microbench.h"

namespace twofour::emu::profile::test {

class TimedDevice {
 public:
  explicit TimedDevice(const std::string& text, int threads = 1, std::int64_t instructions = 1 << 21,
                       const std::string& file = "test.ptx");

  ptx::Device& device() { return *device_; }
  const isa::Machine& machine() const { return machine_; }
  std::uint64_t allocate(std::uint64_t bytes) { return device_->allocate(bytes); }

  template <class... Args>
  const LaunchTime& run(const std::string& entry, ptx::Dim3 grid, ptx::Dim3 block, std::uint64_t shared,
                        Args... args) {
    std::vector<std::byte> parameters;
    (append(parameters, args), ...);
    device_->launch(*module_, entry, {grid, block, shared, parameters});
    return *time_;
  }
  /// Of the last launch.
  const LaunchTrace& trace() const { return *trace_; }

 private:
  template <class T>
  static void append(std::vector<std::byte>& bytes, T value) {
    bytes.resize((bytes.size() + sizeof(T) - 1) / sizeof(T) * sizeof(T) + sizeof(T));
    std::memcpy(bytes.data() + bytes.size() - sizeof(T), &value, sizeof(T));
  }

  isa::Machine machine_;
  Tracer tracer_;
  std::optional<LaunchTrace> trace_;
  std::optional<LaunchTime> time_;
  std::unique_ptr<ptx::Device> device_;
  std::shared_ptr<ptx::LoadedModule> module_;
};

/// A kernel k(out, n) around these lines. %n: n; registers %r, %f, %d (f64), %a (b64), %p; %a0: out;
/// %r0: the thread.
std::string kernel(const std::string& body);

/// The loop of emu::MmaLoop as PTX: k(out, iterations).
std::string mma_loop_ptx(const MmaLoop& loop);
/// Cycles of an iteration of it through the whole chain, as emu::time_mma_loop gives them: of the loop's own
/// instructions over the iterations.
double mma_loop_cycles(const MmaLoop& loop);

}  // namespace twofour::emu::profile::test
