#include <fmt/format.h>
#include <gflags/gflags.h>

#include "twofour/cli/bit_flags.h"
#include "twofour/cli/commands.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/gemm_flags.h"
#include "twofour/cli/latency_print.h"
#include "twofour/cli/output.h"
#include "twofour/cli/time_kernel.h"
#include "twofour/emu/timing/gemm_table.h"
#include "twofour/isa/error.h"
#include "twofour/isa/file.h"

DECLARE_string(launch);
DEFINE_string(csv, "",
              "table with columns M,N,K,dtype and perhaps sparse; predicted_us and its band are appended");
DEFINE_string(clock, "automatic", "automatic, boost, sustained or a number of MHz (docs/timing.md)");
DEFINE_bool(cycle, false, "simulate the kernel's instructions on one SM, cycle by cycle");

namespace twofour::cli {
namespace {

void write_table() {
  const auto table = isa::CsvTable::read(FLAGS_csv);
  const auto machine = isa::load_machine(FLAGS_machine);
  const auto text =
      emu::predict_gemms(table, machine, emu::parse_launch(FLAGS_launch), isa::parse_clock(FLAGS_clock));
  if (FLAGS_output.empty())
    fmt::print("{}", text);
  else
    isa::write_file(FLAGS_output, text);
}

int time_bit_gemm(const emu::BitForm& form) {
  refuse_with_bit_form("time gemm", {"sparse", "cycle", "view", "trace"});
  const auto problem = gemm_from_flags(isa::ElementType::b1);
  const emu::BitWork work{form.weight_bits, form.activation_bits, problem.output_bits};
  const auto machine =
      isa::at_clock(isa::load_machine(FLAGS_machine), isa::parse_clock(FLAGS_clock), problem.type);
  const auto latency = emu::arbitrary_gemm_latency(problem, work, machine);
  if (FLAGS_json)
    print_json("time gemm", bit_latency_json(problem, work, latency, machine));
  else
    print_bit_latency(problem, work, latency, machine);
  return exit_ok;
}

int run(std::span<const std::string>) {
  const bool one = FLAGS_m != 0 || FLAGS_n != 0 || FLAGS_k != 0;
  if (one == !FLAGS_csv.empty()) fail("time gemm: give either --csv FILE, or --m, --n and --k");
  if (!one) {
    if (FLAGS_json || FLAGS_cycle)
      fail("time gemm: --csv writes a table; --json and --cycle are for one GEMM");
    write_table();
    return exit_ok;
  }
  if (!FLAGS_output.empty()) fail("time gemm: --output is for --csv");
  if (const auto form = bit_form_by_flags()) return time_bit_gemm(*form);
  const auto problem = gemm_from_flags();
  const auto machine =
      isa::at_clock(isa::load_machine(FLAGS_machine), isa::parse_clock(FLAGS_clock), problem.type);
  const auto latency = emu::gemm_latency(problem, machine);
  if (FLAGS_cycle)
    return time_kernel("time gemm", problem, latency, machine, [&](const auto& schedule, auto* listener) {
      return emu::simulate_kernel(problem, schedule, machine, listener);
    });
  if (FLAGS_json)
    print_json("time gemm", latency_json(problem, latency, machine));
  else
    print_latency(problem, latency, machine);
  return exit_ok;
}

}  // namespace

Command time_gemm_command() {
  return {
      "time gemm",
      "",
      "predict how long a GEMM takes on a machine, and what binds it",
      "D[m x n] = A[m x k] B[k x n]; when sparse, A is the 2:4 operand. D is stored in 16 bits (tf32: 32).\n"
      "--dtype w2a3 (w1a1 to w8a8): 2-bit weights by 3-bit activations as one single-bit GEMM of all "
      "planes.\n"
      "--csv FILE reads columns M,N,K,dtype (and sparse) and writes the same rows with predicted_us, low_us, "
      "high_us "
      "appended.\n"
      "--launch as-measured counts what the published measurements of the type count: a CUDA graph node for "
      "the float\n"
      "types, a layer profiler's overhead (8.5 us) for the integers. To compare types use --launch graph.\n"
      "--clock boost knows no power limit, sustained runs all of the kernel at the clock that the limit "
      "leaves a "
      "full tensor\n"
      "pipe, automatic (the default) takes boost and lets the limit bound the tensor pipe alone; a number is "
      "a "
      "locked clock in MHz.\n"
      "--cycle simulates the chosen schedule's instructions on one SM, for as many k-chunks as it takes to "
      "become "
      "steady, and\n"
      "extends that to the whole kernel; --view and --trace as in `time mma` show the SM.\n"
      "Examples: twofour time gemm --m 4096 --n 4096 --k 4096 --dtype s8 --sparse --launch graph\n"
      "          twofour time gemm --csv shapes.csv --machine my-gpu.toml --output predicted.csv\n"
      "Exit status: 0 done, 2 the input was refused (file:line:column).",
      {"m", "n", "k", "dtype", "sparse", "batch", "clock", "launch", "csv", "output", "machine", "cycle",
       "view", "trace", "json"},
      0,
      0,
      run};
}

}  // namespace twofour::cli
