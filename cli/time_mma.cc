#include <fmt/format.h>
#include <gflags/gflags.h>

#include "twofour/cli/commands.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/output.h"
#include "twofour/cli/pipeline_views.h"
#include "twofour/emu/timing/sm_microbench.h"
#include "twofour/emu/timing/sm_trace.h"
#include "twofour/isa/error.h"
#include "twofour/isa/file.h"
#include "twofour/isa/issue_timing.h"

DEFINE_int64(warps, 4, "warps of the CTA, 1 to 32; warp w runs on sub-core w mod 4");
DEFINE_int64(independent, 3, "independent mma of a warp in one iteration");
DEFINE_int64(iterations, 1024, "of the loop");
DEFINE_string(view, "summary", "summary, pipes, stalls, timeline or all");
DEFINE_string(trace, "", "write a Chrome trace-event file, for ui.perfetto.dev");

namespace twofour::cli {
namespace {

constexpr std::int64_t most_mma = 100'000'000;  // about ten seconds

emu::MmaLoop loop_from_flags(const std::string& name) {
  if (FLAGS_warps < 1 || FLAGS_warps > 32) fail("time mma: --warps {}: a CTA has 1 to 32", FLAGS_warps);
  if (FLAGS_independent < 1 || FLAGS_independent > 255)
    fail("time mma: --independent {} is out of range", FLAGS_independent);
  if (FLAGS_iterations < 1 || FLAGS_iterations > most_mma / (FLAGS_warps * FLAGS_independent))
    fail("time mma: --iterations {}: give 1 to {} here", FLAGS_iterations,
         most_mma / (FLAGS_warps * FLAGS_independent));
  return {&isa::find_instruction(name), static_cast<int>(FLAGS_warps), static_cast<int>(FLAGS_independent),
          FLAGS_iterations};
}

void print_text(const emu::MmaLoop& loop, const emu::MmaLoopTime& time, const isa::Machine& machine) {
  const auto timing = isa::issue_timing(*loop.instruction, machine);
  fmt::print("{:.1f} cycles an iteration, {:.1f} FMA/clk/SM, {:.1f} % of {}peak; bound: {}\n",
             time.iteration_cycles, time.fma_per_clk, 100 * time.fma_per_clk / time.peak_fma_per_clk,
             loop.instruction->is_sparse() ? "sparse " : "", time.report.bound());
  fmt::print("machine    {}\n", machine.name);
  fmt::print("loop       {} ({}), {} warps x {} independent, {} iterations\n",
             isa::short_name(*loop.instruction), isa::sass_name(*loop.instruction), loop.warps,
             loop.independent, loop.iterations);
  fmt::print("mma        interval {:.2f} cycles (ideal {:g}), latency {:.1f} ({})\n",
             timing.effective_interval, timing.interval, timing.latency,
             timing.measured ? "published" : "by the rule of its class");
}

nlohmann::ordered_json to_json(const emu::MmaLoop& loop, const emu::MmaLoopTime& time,
                               const isa::Machine& machine) {
  return {{"machine", machine.name},
          {"instruction", isa::short_name(*loop.instruction)},
          {"warps", loop.warps},
          {"independent", loop.independent},
          {"iterations", loop.iterations},
          {"iteration_cycles", time.iteration_cycles},
          {"fma_per_clk_sm", time.fma_per_clk},
          {"peak_fraction", time.fma_per_clk / time.peak_fma_per_clk},
          {"measured", isa::issue_timing(*loop.instruction, machine).measured}};
}

int run(std::span<const std::string> arguments) {
  const auto views = parse_views(FLAGS_view);
  const auto loop = loop_from_flags(arguments[0]);
  const auto machine = isa::load_machine(FLAGS_machine);
  emu::Timeline timeline(0, 200);
  emu::ChromeTrace trace;
  emu::SmListeners listeners;
  if (views.timeline) listeners.add(timeline);
  if (!FLAGS_trace.empty()) listeners.add(trace);
  const auto time = emu::time_mma_loop(loop, machine, &listeners);
  if (!FLAGS_trace.empty()) isa::write_file(FLAGS_trace, trace.json());
  if (FLAGS_json) {
    auto json = to_json(loop, time, machine);
    json.update(views_json(views, time.report, timeline));
    print_json("time mma", json);
    return exit_ok;
  }
  print_text(loop, time, machine);
  print_views(views, time.report, timeline);
  return exit_ok;
}

}  // namespace

Command time_mma_command() {
  return {
      "time mma",
      "INSTRUCTION",
      "simulate a loop of mma on one SM, cycle by cycle",
      "Each warp runs so many independent mma, then counts and branches: the loop of published "
      "microbenchmarks.\n"
      "--view pipes: how busy each pipe is; stalls: why warps wait, by Nsight Compute's names; timeline: the "
      "first 200\n"
      "instructions. --trace FILE: all of it (up to 200,000 events); one microsecond there is one cycle.\n"
      "Examples: twofour time mma m16n8k16.f32.f16.f16.f32 --warps 4 --independent 3\n"
      "          twofour time mma sp.m16n8k64.s32.s8.s8.s32 --warps 8 --independent 2 --view all\n"
      "Exit status: 0 done, 2 the input was refused.",
      {"warps", "independent", "iterations", "machine", "view", "trace", "json"},
      1,
      1,
      run};
}

}  // namespace twofour::cli
