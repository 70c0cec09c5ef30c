#include <gflags/gflags.h>

#include "twofour/cli/bit_flags.h"
#include "twofour/cli/commands.h"
#include "twofour/cli/conv_flag.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/latency_print.h"
#include "twofour/cli/output.h"
#include "twofour/cli/time_kernel.h"
#include "twofour/isa/clock.h"
#include "twofour/isa/error.h"

DECLARE_string(clock);
DECLARE_bool(cycle);

namespace twofour::cli {
namespace {

int time_bit_conv(const emu::BitForm& form) {
  refuse_with_bit_form("time conv", {"sparse", "cycle", "view", "trace"});
  auto conv = conv_from_flag(isa::ElementType::b1);
  if (!flag_given("launch")) conv.launch = emu::Launch::graph;
  const emu::BitWork work{form.weight_bits, form.activation_bits, conv.output_bits};
  const auto machine =
      isa::at_clock(isa::load_machine(FLAGS_machine), isa::parse_clock(FLAGS_clock), conv.type);
  const auto gemm = emu::implicit_gemm(conv).gemm;
  const auto latency = emu::arbitrary_conv_latency(conv, work, machine);
  if (FLAGS_json)
    print_json("time conv", bit_latency_json(gemm, work, latency, machine));
  else
    print_bit_latency(gemm, work, latency, machine);
  return exit_ok;
}

int run(std::span<const std::string>) {
  if (!conv_is_given()) fail("time conv: give --conv N,H,W,C,K,R,S,stride,pad");
  if (const auto form = bit_form_by_flags()) return time_bit_conv(*form);
  auto conv = conv_from_flag();
  if (!flag_given("launch")) conv.launch = emu::Launch::graph;
  const auto machine =
      isa::at_clock(isa::load_machine(FLAGS_machine), isa::parse_clock(FLAGS_clock), conv.type);
  const auto gemm = emu::implicit_gemm(conv).gemm;
  const auto latency = emu::conv_latency(conv, machine);
  if (FLAGS_cycle)
    return time_kernel("time conv", gemm, latency, machine, [&](const auto& schedule, auto* listener) {
      return emu::simulate_kernel(conv, schedule, machine, listener);
    });
  if (FLAGS_json)
    print_json("time conv", latency_json(gemm, latency, machine));
  else
    print_latency(gemm, latency, machine);
  return exit_ok;
}

}  // namespace

Command time_conv_command() {
  return {"time conv",
          "",
          "predict how long a convolution takes as an implicit GEMM, and what binds it",
          "--conv N,H,W,C,K,R,S,stride,pad: NHWC images of C channels, K filters of R x S. The GEMM is m = K "
          "filters\n"
          "(the weights, the 2:4 operand), n = N P Q, k = R S C with few channels filled up. --launch is "
          "graph if not\n"
          "given; --dtype w2a3, --clock, --cycle, --view and --trace as in `time gemm`.\n"
          "Example: twofour time conv --conv 32,56,56,64,64,3,3,1,1 --dtype s8 --sparse\n"
          "Exit status: 0 done, 2 the input was refused.",
          {"conv", "dtype", "sparse", "clock", "launch", "machine", "cycle", "view", "trace", "json"},
          0,
          0,
          run};
}

}  // namespace twofour::cli
