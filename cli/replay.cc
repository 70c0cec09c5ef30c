#include "twofour/emu/replay/replay.h"

#include <fmt/format.h>
#include <gflags/gflags.h>

#include "twofour/cli/commands.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/output.h"
#include "twofour/isa/file.h"

namespace twofour::cli {
namespace {

std::string hex(std::uint64_t word, int digits) {
  return fmt::format("{:0{}x}", word, digits);
}

int run(std::span<const std::string> files) {
  const auto architecture = isa::parse_architecture(FLAGS_arch);
  const auto report = emu::replay(files[0], isa::read_file(files[0]), architecture, FLAGS_instruction);
  const auto& first = report.first;
  if (FLAGS_json) {
    nlohmann::ordered_json fields{{"file", files[0]},
                                  {"architecture", FLAGS_arch},
                                  {"instruction", FLAGS_instruction},
                                  {"vectors", report.agreeing + report.disagreeing},
                                  {"agreeing", report.agreeing},
                                  {"disagreeing", report.disagreeing}};
    if (report.disagreeing > 0)
      fields["first_mismatch"] = {{"line", first.line},
                                  {"instruction", first.instruction},
                                  {"expected", hex(first.expected, first.digits)},
                                  {"computed", hex(first.computed, first.digits)}};
    print_json("replay", fields);
  } else {
    fmt::print("{} agreeing, {} disagreeing of {} vectors\n", report.agreeing, report.disagreeing,
               report.agreeing + report.disagreeing);
    if (report.disagreeing > 0)
      fmt::print("first mismatch: {}:{}: {}: expected {}, computed {}\n", files[0], first.line,
                 first.instruction, hex(first.expected, first.digits), hex(first.computed, first.digits));
  }
  return report.disagreeing == 0 ? exit_ok : exit_verdict;
}

}  // namespace

Command replay_command() {
  return {"replay",
          "FILE",
          "compare recorded hardware words with the model, bit for bit",
          "Lines are `a.. | b.. | c | d` in hex words, K products each (K: the instruction's k), or\n"
          "`ARCH INSTRUCTION K | a.. | b.. | c | d`, which need no flags; d may be z (equal to zero).\n"
          "Example: twofour replay a100_fp16_k8_f32.hex --arch ampere --instruction m16n8k8.f32.f16.f16.f32\n"
          "Exit status: 0 all agree, 1 a mismatch, 2 the file was refused.",
          {"arch", "instruction", "json"},
          1,
          1,
          run};
}

}  // namespace twofour::cli
