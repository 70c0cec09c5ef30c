#include <cstdlib>

#include "twofour/cli/commands.h"
#include "twofour/cli/cuda_program.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/run_cycle.h"
#include "twofour/cli/run_flags.h"
#include "twofour/cli/run_kernel.h"
#include "twofour/cli/run_tools.h"
#include "twofour/isa/error.h"

namespace twofour::cli {
namespace {

/// `run FILE.ptx` or `run -- PROGRAM [ARGUMENT...]`.
int run(std::span<const std::string> words) {
  if (words[0] != "--") {
    if (words.size() > 1)
      fail("run: unexpected argument '{}'; a program and its arguments come after --", words[1]);
    return run_ptx_file(words[0]);
  }
  if (words.size() < 2) fail("missing argument PROGRAM; see `twofour run --help`");
  for (const char* flag :
       {"entry", "grid", "block", "arg", "shared", "limit", "threads", "json", "strict", "view", "trace"})
    if (flag_given(flag)) fail("run: --{} is for a PTX file, not for a program", flag);
  set_tool_environment();
  if (cycle_mode()) ::setenv("TWOFOUR_EXEC_MODE", "cycle", 1);
  run_cuda_program(FLAGS_machine, FLAGS_statistics, words.subspan(1));
}

}  // namespace

Command run_command() {
  return {
      .name = "run",
      .positionals = "KERNEL.ptx | -- PROGRAM [ARGUMENT...]",
      .summary = "run a PTX kernel, or an unmodified CUDA program, without a GPU",
      .details =
          "KERNEL.ptx: the kernel --entry on a grid of blocks; the --arg in the order of its parameters, or "
          "by\n"
          "name if every NAME is that of a parameter (nvcc's are KERNEL_param_0, ...). VALUE is\n"
          "  12, -3, 0xff, 1.5           a number; .f32 and .f64 parameters take any, others integers\n"
          "  FILE.npy[:TYPE]             an array in device memory, its address is passed: its bytes, or, "
          "with\n"
          "                              TYPE, its elements as that type (s4, b1: packed; bf16 from "
          "float32)\n"
          "  inout:FILE.npy[:TYPE][:OUT.npy]   the same, and written to OUT.npy after the run\n"
          "  out:TYPE[16,8][:OUT.npy]    zeros; written after the run\n"
          "  hex:00ff...                 the bytes of a struct\n"
          "Results go to NAME.npy if there is no OUT.npy.\n"
          "Example: twofour run sum.ptx --entry sum --grid 4 --block 128 --arg x=x.npy --arg s=out:f32[4] "
          "--arg n=512\n\n"
          "PROGRAM is built by nvcc of CUDA 12 or 13 with PTX in it and -cudart shared, for example\n"
          "  nvcc -gencode arch=compute_80,code=compute_80 -cudart shared program.cu -o program\n"
          "It sees one device, the machine. Calls that are not there say so and return "
          "cudaErrorNotSupported.\n\n"
          "--tool reports memory errors, races, missing lanes and more with their places (docs/checkers.md); "
          "of a\nPROGRAM on stderr when it exits.\n"
          "--exec-mode cycle also says how long the kernel would take (docs/timing.md); of a PROGRAM a line a "
          "launch on\nstderr, and the times between its events are the modelled ones.\n"
          "Exit status: the program's; of a kernel 0. 1 when a checker found something in a kernel, or "
          "--error-exitcode.\n2 when something is refused or the kernel fails, 130 after Ctrl-C.",
      .flags = {"entry", "grid", "block", "arg", "shared", "machine", "threads", "limit", "strict",
                "statistics", "tool", "error_exitcode", "leak_check", "exec_mode", "view", "trace", "json"},
      .min_positionals = 1,
      .max_positionals = 1 << 20,
      .run = run,
      .repeated = {"arg"},
      .keeps_separator = true};
}

}  // namespace twofour::cli
