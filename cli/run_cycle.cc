#include "twofour/cli/run_cycle.h"

#include <fmt/format.h>
#include <gflags/gflags.h>

#include "twofour/cli/pipeline_views.h"
#include "twofour/emu/profile/launch_time.h"
#include "twofour/emu/profile/tracer.h"
#include "twofour/emu/timing/sm_trace.h"
#include "twofour/isa/error.h"
#include "twofour/isa/file.h"

DEFINE_string(exec_mode, "functional", "functional, or cycle: also the time that the kernel would take");
DECLARE_string(view);
DECLARE_string(trace);

namespace twofour::cli {
namespace {

using emu::profile::LaunchTime;
using emu::profile::LaunchTrace;

constexpr std::size_t timeline_rows = 200;

}  // namespace

bool cycle_mode() {
  if (FLAGS_exec_mode == "cycle") return true;
  if (FLAGS_exec_mode != "functional") fail("--exec-mode '{}': give functional or cycle", FLAGS_exec_mode);
  return false;
}

struct CycleRun::Impl {
  explicit Impl(const isa::Machine& m)
      : machine(m), views(parse_views(FLAGS_view)), tracer(m, [this](const LaunchTrace& t) { take(t); }) {}

  void take(const LaunchTrace& launch) {
    const LaunchTime first = time_launch(launch, machine);
    timeline = emu::Timeline(first.run.totals.cycles / 2, timeline_rows);
    emu::SmListeners listeners;
    if (views.timeline) listeners.add(timeline);
    if (!FLAGS_trace.empty()) listeners.add(trace);
    time = views.timeline || !FLAGS_trace.empty() ? time_launch(launch, machine, &listeners) : first;
    registers = launch.needs.registers;
    occupancy = launch.occupancy;
    blocks = launch.block_count();
  }

  isa::Machine machine;
  Views views;
  LaunchTime time;
  int registers = 0;
  emu::profile::Occupancy occupancy;
  std::uint64_t blocks = 0;
  emu::Timeline timeline{0, timeline_rows};
  emu::ChromeTrace trace;
  emu::profile::Tracer tracer;
};

CycleRun::CycleRun(const isa::Machine& machine) : impl_(std::make_unique<Impl>(machine)) {}
CycleRun::~CycleRun() = default;

emu::ptx::Observer& CycleRun::observer() {
  return impl_->tracer;
}

void CycleRun::print() const {
  const LaunchTime& t = impl_->time;
  fmt::print("  time      {:.4g} us, {:.0f} cycles at {:.0f} MHz on {}, bound: {}\n", t.microseconds,
             t.cycles, impl_->machine.boost_mhz, impl_->machine.name, t.bound);
  fmt::print("  limits    busiest SM {:.0f} cycles, DRAM {:.0f}, power {:.0f}; launch not counted\n",
             t.sm_cycles, t.dram_cycles, t.power_cycles);
  fmt::print("  blocks    {}, {} an SM ({}), {} on the busiest, {} simulated; about {} registers a thread\n",
             impl_->blocks, impl_->occupancy.blocks, impl_->occupancy.limit, t.blocks_of_busiest_sm,
             t.blocks_simulated, impl_->registers);
  fmt::print(
      "  memory    {:.0f} % of loads hit L1, {:.0f} % of what is left hits L2, {:.4g} MB from and to DRAM\n",
      100 * t.l1_hit, 100 * t.l2_hit, t.dram_bytes * 1e-6);
  if (t.simulated_share < 1)
    fmt::print(
        "  the first {:.1f} % of these blocks' instructions are simulated; the rest counts at their rate\n",
        100 * t.simulated_share);
  print_views(impl_->views, t.run, impl_->timeline);
}

nlohmann::ordered_json CycleRun::json() const {
  const LaunchTime& t = impl_->time;
  nlohmann::ordered_json fields{{"microseconds", t.microseconds},
                                {"cycles", t.cycles},
                                {"kernel_bound", t.bound},
                                {"busiest_sm_cycles", t.sm_cycles},
                                {"dram_cycles", t.dram_cycles},
                                {"power_cycles", t.power_cycles},
                                {"blocks", impl_->blocks},
                                {"blocks_per_sm", impl_->occupancy.blocks},
                                {"occupancy_limit", impl_->occupancy.limit},
                                {"blocks_of_busiest_sm", t.blocks_of_busiest_sm},
                                {"blocks_simulated", t.blocks_simulated},
                                {"simulated_share", t.simulated_share},
                                {"registers", impl_->registers},
                                {"l1_hit", t.l1_hit},
                                {"l2_hit", t.l2_hit},
                                {"dram_bytes", t.dram_bytes}};
  fields.update(views_json(impl_->views, t.run, impl_->timeline));
  return {{"cycle", std::move(fields)}};
}

void CycleRun::write_trace() const {
  if (!FLAGS_trace.empty()) isa::write_file(FLAGS_trace, impl_->trace.json());
}

}  // namespace twofour::cli
