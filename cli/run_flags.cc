#include "twofour/cli/run_flags.h"

#include <fmt/format.h>
#include <gflags/gflags.h>

#include <charconv>
#include <cstdio>

#include "twofour/cli/flags.h"
#include "twofour/isa/error.h"

DEFINE_string(entry, "",
              "kernel to run; without it, the kernels of the file and their parameters are listed");
DEFINE_string(grid, "1", "blocks: X, X,Y or X,Y,Z");
DEFINE_string(block, "1", "threads of a block: X, X,Y or X,Y,Z");
DEFINE_string(arg, "", "a parameter, NAME=VALUE; once for each parameter, see below");
DEFINE_uint64(shared, 0, "dynamic shared memory of a block, bytes");
DEFINE_uint64(limit, 10'000'000'000, "warp instructions a launch may execute; 0: any number");
DEFINE_int32(threads, 0, "threads of this computer; 0: all cores");
DEFINE_string(statistics, "", "write what --json prints to this file; of a PROGRAM: all its launches");

namespace twofour::cli {

emu::ptx::Dim3 parse_dim3(const std::string& flag, const std::string& text) {
  std::uint32_t sizes[3] = {1, 1, 1};
  const char *at = text.data(), *const end = at + text.size();
  for (int i = 0; i < 3; ++i) {
    const auto parsed = std::from_chars(at, end, sizes[i]);
    if (parsed.ec == std::errc::result_out_of_range) fail("--{} {}: a size is above 2^32 - 1", flag, text);
    if (parsed.ec != std::errc{}) break;
    if (parsed.ptr == end) return {sizes[0], sizes[1], sizes[2]};
    if (*parsed.ptr != ',') break;
    at = parsed.ptr + 1;
  }
  fail("--{} '{}': give X, X,Y or X,Y,Z", flag, text);
}

std::vector<RunArgument> run_arguments() {
  std::vector<RunArgument> arguments;
  for (std::size_t at = 0; at < FLAGS_arg.size();) {
    const std::size_t end = std::min(FLAGS_arg.find('\n', at), FLAGS_arg.size());
    arguments.push_back(parse_run_argument(std::string_view(FLAGS_arg).substr(at, end - at)));
    at = end + 1;
  }
  return arguments;
}

emu::ptx::DeviceOptions run_options() {
  if (FLAGS_threads < 0 || FLAGS_threads > 1024) fail("--threads {}: give 0 to 1024", FLAGS_threads);
  emu::ptx::DeviceOptions options;
  options.threads = FLAGS_threads;
  options.instruction_limit = FLAGS_limit;
  if (FLAGS_json)
    options.print = [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); };
  return options;
}

}  // namespace twofour::cli
