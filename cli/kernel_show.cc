#include <fmt/format.h>
#include <gflags/gflags.h>

#include "twofour/cli/commands.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/kernel_flags.h"
#include "twofour/cli/output.h"
#include "twofour/emu/kernel/listing.h"
#include "twofour/emu/kernel/warp_program.h"
#include "twofour/emu/timing/sm_events.h"
#include "twofour/isa/error.h"

DEFINE_int64(cta, 0, "CTA in launch order");
DEFINE_int64(warp, 0, "warp of the CTA");
DEFINE_string(part, "loop", "prologue, loop (the first k-chunk), epilogue");

namespace twofour::cli {
namespace {

int segment_by_flag(const emu::WarpProgram& program) {
  if (FLAGS_part == "prologue") return 0;
  if (FLAGS_part == "epilogue") return program.segments() - 1;
  if (FLAGS_part != "loop") fail("flag --part: '{}' is none of prologue, loop, epilogue", FLAGS_part);
  if (program.segments() < 3) fail("CTA {} has no k-chunk: it adds the sums of others", FLAGS_cta);
  return 1;
}

void print_text(const emu::Kernel& k, const emu::Work& w, const std::vector<emu::WarpOp>& ops) {
  fmt::print("{}; {}\n", isa::ptx_name(*k.problem.instruction), schedule_text(k));
  fmt::print("CTA {} (tile {}, {} of D, k-chunks {} to {}), warp {}: {}\n", FLAGS_cta, w.tile_m, w.tile_n,
             w.chunk_begin, w.chunk_end - 1, FLAGS_warp,
             FLAGS_part == "loop" ? "the first k-chunk" : FLAGS_part);
  for (const emu::WarpOp& op : ops) fmt::print("{}\n", emu::listing_line(op));
}

void print_as_json(const emu::Kernel& k, const std::vector<emu::WarpOp>& ops) {
  nlohmann::ordered_json lines = nlohmann::ordered_json::array();
  for (const emu::WarpOp& op : ops) {
    const emu::TimedOp t = emu::timed(op);
    lines.push_back({{"line", op.line},
                     {"kind", emu::name(op.kind)},
                     {"text", emu::listing_line(op).substr(7)},
                     {"wavefronts", t.wavefronts},
                     {"bytes", t.bytes}});
  }
  print_json("kernel show", {{"instruction", isa::ptx_name(*k.problem.instruction)},
                             {"schedule", schedule_json(k)},
                             {"cta", FLAGS_cta},
                             {"warp", FLAGS_warp},
                             {"part", FLAGS_part},
                             {"listing", lines}});
}

int run(std::span<const std::string>) {
  const emu::Kernel kernel = kernel_from_flags();
  const auto ctas = emu::grid(kernel);
  if (FLAGS_cta < 0 || FLAGS_cta >= std::ssize(ctas))
    fail("--cta {}: the grid has {}", FLAGS_cta, ctas.size());
  if (FLAGS_warp < 0 || FLAGS_warp >= kernel.warps())
    fail("--warp {}: a CTA has {}", FLAGS_warp, kernel.warps());
  const emu::Work& work = ctas[std::size_t(FLAGS_cta)].front();
  const emu::WarpProgram program(kernel, work, int(FLAGS_warp));
  const std::vector<emu::WarpOp> ops = program.segment(segment_by_flag(program));
  FLAGS_json ? print_as_json(kernel, ops) : print_text(kernel, work, ops);
  return exit_ok;
}

}  // namespace

Command kernel_show_command() {
  std::vector<std::string_view> flags = kernel_flags();
  flags.insert(flags.end(), {"cta", "warp", "part", "json"});
  return {
      "kernel show",
      "",
      "list the instructions of one warp of a scheduled GEMM kernel",
      "Addresses are those of the first lane that takes part; behind // what all lanes cost: passes through\n"
      "the banks of shared memory, bytes of 32-byte sectors of global memory.\n"
      "Example: twofour kernel show --m 512 --n 512 --k 512 --sparse --cta-tile 128x128x64 --stages 3\n"
      "Exit status: 0 done, 2 the schedule or the problem was refused.",
      flags,
      0,
      0,
      run};
}

}  // namespace twofour::cli
