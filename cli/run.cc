#include "twofour/cli/commands.h"
#include "twofour/cli/cuda_program.h"
#include "twofour/cli/flags.h"

namespace twofour::cli {

Command run_command() {
  return {
      "run",
      "-- PROGRAM [ARGUMENT...]",
      "run an unmodified CUDA program without a GPU",
      "PROGRAM is built by nvcc of CUDA 12 or 13 with PTX in it and -cudart shared, for example\n"
      "  nvcc -gencode arch=compute_80,code=compute_80 -cudart shared program.cu -o program\n"
      "It sees one device, the machine. Calls that are not there say so and return cudaErrorNotSupported.\n"
      "Exit status: the program's; 2 when it cannot be started.",
      {"machine"},
      1,
      1 << 20,
      [](std::span<const std::string> words) -> int { run_cuda_program(FLAGS_machine, words); }};
}

}  // namespace twofour::cli
