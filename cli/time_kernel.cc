#include "twofour/cli/time_kernel.h"

#include <fmt/format.h>
#include <gflags/gflags_declare.h>

#include <algorithm>

#include "twofour/cli/command.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/gemm_flags.h"
#include "twofour/cli/output.h"
#include "twofour/cli/pipeline_views.h"
#include "twofour/emu/timing/sm_trace.h"
#include "twofour/isa/error.h"
#include "twofour/isa/file.h"

DECLARE_string(view);
DECLARE_string(trace);

namespace twofour::cli {
namespace {

using emu::KernelSimulation;

/// The middle of the main loops of the first CTAs in the run that listeners see.
std::int64_t steady_cycle(const KernelSimulation& s) {
  const auto at_once = std::min<std::int64_t>(s.ctas_per_sm, s.ctas_of_busiest_sm);
  const auto simulated = std::min<std::int64_t>(s.ctas_of_busiest_sm, 3 * s.ctas_per_sm);
  return s.observed_cycles * at_once / simulated / 2;
}

double peak_fraction(const KernelSimulation& s) {
  return s.tensor_floor_us / s.microseconds;
}

void print_text(const emu::GemmProblem& p, const emu::Schedule& schedule, const KernelSimulation& s,
                double modelled_us, const isa::Machine& machine) {
  const emu::Tile& t = schedule.tile;
  fmt::print("{:.4g} us, bound: {}, {:.0f} % of {}peak\n", s.microseconds, s.bound, 100 * peak_fraction(s),
             p.sparse ? "sparse " : "");
  fmt::print("machine    {}; the latency model says {:.4g} us for this schedule\n", machine.name,
             modelled_us);
  fmt::print(
      "kernel     {:.0f} cycles at {:.0f} MHz; busiest SM {:.0f}, DRAM {:.0f}, power {:.0f}; launch {:.2f} "
      "us ({})\n",
      s.cycles + s.second_kernel_cycles, machine.boost_mhz, s.sm_cycles, s.dram_cycles, s.power_cycles,
      s.launch_us, name(p.launch));
  fmt::print("schedule   tile {} x {} x {}, {} stages, {} warps, split-k {}\n", t.m, t.n, t.k(p.type),
             t.stages, t.warps(), schedule.splits);
  fmt::print("CTAs       {}, {} a SM, {} on the busiest, {} k-chunks each\n", s.ctas, s.ctas_per_sm,
             s.ctas_of_busiest_sm, s.chunks);
  fmt::print("k-chunk    {:.0f} cycles with {} CTAs a SM", s.chunk_cycles,
             std::min<std::int64_t>(s.ctas_per_sm, s.ctas_of_busiest_sm));
  if (s.unsteadiness > 0) fmt::print("; changes by {:.1f} % when runs are longer", 100 * s.unsteadiness);
  fmt::print("\nSM below   {}; {:.0f} % of fetched bytes hit L2\n",
             s.unsteadiness > 0 ? "in the steady state" : "in a whole run", 100 * s.l2_hit);
}

nlohmann::ordered_json to_json(const emu::GemmProblem& p, const emu::Schedule& schedule,
                               const KernelSimulation& s, double modelled_us, const isa::Machine& machine) {
  const emu::Tile& t = schedule.tile;
  nlohmann::ordered_json fields{{"machine", machine.name}, {"method", "cycle"}};
  fields.update(gemm_json(p));
  fields.update({{"predicted_us", s.microseconds},
                 {"kernel_bound", s.bound},
                 {"peak_fraction", peak_fraction(s)},
                 {"model_us", modelled_us},
                 {"kernel_cycles", s.cycles},
                 {"second_kernel_cycles", s.second_kernel_cycles},
                 {"busiest_sm_cycles", s.sm_cycles},
                 {"dram_cycles", s.dram_cycles},
                 {"power_cycles", s.power_cycles},
                 {"launch_us", s.launch_us},
                 {"tile",
                  {{"m", t.m},
                   {"n", t.n},
                   {"k", t.k(p.type)},
                   {"stages", t.stages},
                   {"warps", t.warps()},
                   {"split_k", schedule.splits}}},
                 {"ctas", s.ctas},
                 {"ctas_per_sm", s.ctas_per_sm},
                 {"ctas_of_busiest_sm", s.ctas_of_busiest_sm},
                 {"k_chunks", s.chunks},
                 {"chunk_cycles", s.chunk_cycles},
                 {"unsteadiness", s.unsteadiness},
                 {"l2_hit", s.l2_hit}});
  return fields;
}

}  // namespace

int time_kernel(std::string_view command, const emu::GemmProblem& problem, const emu::Latency& latency,
                const isa::Machine& machine, const Simulate& simulate) {
  const auto views = parse_views(FLAGS_view);
  if (latency.gemv)
    fail("{} --cycle: a GEMM of so few columns is streamed by a kernel without tiles; leave out --cycle",
         command);
  const auto simulation = simulate(latency.schedule, nullptr);
  emu::Timeline timeline(steady_cycle(simulation), 200);
  emu::ChromeTrace trace;
  emu::SmListeners listeners;
  if (views.timeline) listeners.add(timeline);
  if (!FLAGS_trace.empty()) listeners.add(trace);
  if (views.timeline || !FLAGS_trace.empty()) simulate(latency.schedule, &listeners);
  if (!FLAGS_trace.empty()) isa::write_file(FLAGS_trace, trace.json());
  if (FLAGS_json) {
    auto json = to_json(problem, latency.schedule, simulation, latency.microseconds, machine);
    json.update(views_json(views, simulation.steady, timeline));
    print_json(std::string(command), json);
    return exit_ok;
  }
  print_text(problem, latency.schedule, simulation, latency.microseconds, machine);
  print_views(views, simulation.steady, timeline);
  return exit_ok;
}

}  // namespace twofour::cli
