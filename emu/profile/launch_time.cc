#include "twofour/emu/profile/launch_time.h"

#include <algorithm>

namespace twofour::emu::profile {
namespace {

constexpr double l1_beyond_shared = 28 * 1024;

double fraction(double part, double whole) {
  return whole > 0 ? part / whole : 0;
}

std::uint64_t busiest(const LaunchTrace& trace, const isa::Machine& machine) {
  const auto sms = std::uint64_t(machine.sms);
  return (trace.block_count() + sms - 1) / sms;
}

double l1_hit(const LaunchTrace& trace, const isa::Machine& machine) {
  const double resident = std::min<double>(trace.occupancy.blocks, double(busiest(trace, machine)));
  const double room = machine.smem_per_sm + l1_beyond_shared - resident * (double(trace.needs.shared) + 1024);
  const double fits = std::clamp(fraction(room, resident * trace.traffic.loaded_once), 0.0, 1.0);
  return fraction(trace.traffic.loaded_again, trace.traffic.loaded) * fits;
}

/// Bytes that L2 is asked for by ld and cp.async of the grid.
double asked_of_l2(const LaunchTrace& trace, double l1) {
  // The recorded blocks stand for all in what share of their reads ld does.
  double copied = 0;
  for (const BlockTrace& b : trace.blocks)
    for (const WarpTrace& w : b.warps)
      for (const TimedOp& op : w.ops) copied += op.kind == OpKind::cp_async ? op.bytes : 0;
  const double by_ld = fraction(trace.traffic.loaded, trace.traffic.loaded + copied);
  return trace.traffic.read * (1 - by_ld * l1);
}

struct Run {
  SmTotals totals;
  SmReport report;
};

std::vector<CtaStream> streams_of(const LaunchTrace& trace) {
  std::vector<CtaStream> streams;
  for (const BlockTrace& b : trace.blocks) {
    CtaStream& cta = streams.emplace_back();
    for (const WarpTrace& w : b.warps) cta.push_back({{w.ops, 1}});
  }
  return streams;
}

Run run(const std::vector<CtaStream>& streams, std::size_t count, int resident,
        const SmParameters& parameters, SmListener* listener) {
  SmCounter counter(parameters);
  SmListeners listeners;
  listeners.add(counter);
  if (listener != nullptr) listeners.add(*listener);
  SmWork work{{}, resident};
  for (std::size_t k = 0; k < count; ++k) work.ctas.push_back(&streams[k]);
  const SmTotals totals = run_sm(work, parameters, listeners);
  return {totals, counter.report(totals)};
}

/// Cycles of `all` blocks on an SM that holds `resident`; `streams` are the first of them.
double extended(const std::vector<CtaStream>& streams, std::uint64_t all, int resident, double simulated,
                const SmParameters& parameters) {
  const std::size_t count = streams.size(), round = std::size_t(resident);
  if (all <= count) return simulated;
  if (count < 2 * round) return simulated * double(all) / double(count);
  // In whole rounds beyond as many blocks as leave whole rounds.
  const std::size_t last = count / round * round;
  const double longer =
      last == count ? simulated : double(run(streams, last, resident, parameters, nullptr).totals.cycles);
  const double shorter = double(run(streams, last - round, resident, parameters, nullptr).totals.cycles);
  const std::size_t part = std::size_t(all % round), base = last - round + part;
  const double first =
      part == 0 ? shorter : double(run(streams, base, resident, parameters, nullptr).totals.cycles);
  return first + double((all - base) / round) * (longer - shorter);
}

const isa::Instruction* first_mma(const LaunchTrace& trace) {
  for (const BlockTrace& b : trace.blocks)
    for (const WarpTrace& w : b.warps)
      for (const TimedOp& op : w.ops)
        if (op.kind == OpKind::mma) return op.instruction;
  return nullptr;
}

/// The tensor pipe's work of the busiest SM at the sustained clock, in cycles at boost.
double power_cycles(const LaunchTrace& trace, const SmReport& report, double scale,
                    const isa::Machine& machine) {
  const isa::Instruction* mma = first_mma(trace);
  if (mma == nullptr) return 0;
  const double busy = report.busy_cycles[std::size_t(Pipe::tensor)] / machine.sub_cores_per_sm;
  const double clock = isa::is_float(mma->a) ? machine.sustained_mhz : machine.sustained_integer_mhz;
  return busy * scale * machine.boost_mhz / clock;
}

}  // namespace

MemoryShare memory_share(const LaunchTrace& trace, const isa::Machine& machine) {
  const double busy = std::min(machine.sms, double(trace.block_count()));
  const double l2 = machine.bytes_per_clk(machine.l2_read_gbs) / busy, l1 = l1_hit(trace, machine);
  const double asked = asked_of_l2(trace, l1), l2_bytes = machine.l2_mib * 1024 * 1024;
  return {.l2_bytes_per_clk = std::min(l2, machine.l2_bytes_per_clk_sm),
          .dram_bytes_per_clk = machine.bytes_per_clk(machine.dram_read_gbs) / busy,
          .l1_hit = l1,
          .l2_hit = 1 - std::min(fraction(trace.traffic.read_once, asked), 1.0),
          .write_back = trace.traffic.read_once + trace.traffic.written_once > l2_bytes};
}

LaunchTime time_launch(const LaunchTrace& trace, const isa::Machine& machine, SmListener* listener) {
  LaunchTime t;
  const SmParameters parameters{machine, memory_share(trace, machine)};
  t.l1_hit = parameters.share.l1_hit;
  t.l2_hit = parameters.share.l2_hit;
  t.dram_bytes = trace.traffic.read_once + (parameters.share.write_back ? trace.traffic.written : 0);
  t.blocks_of_busiest_sm = busiest(trace, machine);
  t.blocks_simulated = trace.blocks.size();
  std::int64_t recorded = 0, executed = 0;
  for (const BlockTrace& b : trace.blocks) recorded += b.recorded(), executed += b.executed();
  t.simulated_share = executed > 0 ? double(recorded) / double(executed) : 1;

  const auto streams = streams_of(trace);
  const int resident =
      int(std::min<std::uint64_t>(std::uint64_t(trace.occupancy.blocks), t.blocks_of_busiest_sm));
  const Run simulated = run(streams, streams.size(), resident, parameters, listener);
  t.run = simulated.report;
  const double cycles = double(simulated.totals.cycles);
  t.sm_cycles = extended(streams, t.blocks_of_busiest_sm, resident, cycles, parameters) / t.simulated_share;
  t.dram_cycles = t.dram_bytes / machine.bytes_per_clk(machine.dram_read_gbs);
  const double scale = double(t.blocks_of_busiest_sm) / double(std::max<std::size_t>(streams.size(), 1));
  t.power_cycles = power_cycles(trace, t.run, scale / t.simulated_share, machine);
  const double longest = std::max({t.sm_cycles, t.dram_cycles, t.power_cycles});
  t.bound = t.dram_cycles >= longest    ? "DRAM"
            : t.power_cycles >= longest ? "power: tensor pipe at the sustained clock"
                                        : t.run.bound();
  t.cycles = machine.cold_start_cycles + longest;
  t.microseconds = t.cycles / machine.boost_mhz;
  return t;
}

}  // namespace twofour::emu::profile
