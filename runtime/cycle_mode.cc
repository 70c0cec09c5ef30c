#include "twofour/runtime/cycle_mode.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "twofour/emu/profile/launch_time.h"
#include "twofour/emu/profile/tracer.h"
#include "twofour/isa/error.h"

namespace twofour::runtime {
namespace {

double modelled = 0;

void add(const emu::profile::LaunchTrace& trace, const isa::Machine& machine) {
  const auto time = time_launch(trace, machine);
  modelled += std::max(time.microseconds, machine.launch_stream_us);
  const auto &g = trace.grid, &b = trace.block;
  std::fflush(stdout);
  fmt::print(
      stderr,
      "twofour: {} grid {},{},{} block {},{},{}: {:.4g} us, {:.0f} cycles, {} blocks an SM, bound: {}\n",
      trace.kernel, g.x, g.y, g.z, b.x, b.y, b.z, time.microseconds, time.cycles, trace.occupancy.blocks,
      time.bound);
}

}  // namespace

bool cycle_mode() {
  const char* text = std::getenv("TWOFOUR_EXEC_MODE");
  const std::string_view mode = text != nullptr ? text : "";
  if (mode == "cycle") return true;
  if (!mode.empty() && mode != "functional")
    fail("TWOFOUR_EXEC_MODE is '{}'; it may be functional or cycle", mode);
  return false;
}

emu::ptx::Observer& cycle_observer(const isa::Machine& machine) {
  static auto* const tracer = new emu::profile::Tracer(
      machine, [machine](const emu::profile::LaunchTrace& trace) { add(trace, machine); });
  return *tracer;
}

double modelled_microseconds() {
  return modelled;
}

}  // namespace twofour::runtime
