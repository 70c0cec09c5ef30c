#include <fmt/format.h>
#include <gflags/gflags.h>

#include "twofour/cli/commands.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/input.h"
#include "twofour/emu/vectors/generate.h"
#include "twofour/emu/vectors/open_questions.h"
#include "twofour/isa/error.h"

DEFINE_string(level, "all", "operands: boundary, random, all (both in turn), open-questions");
DEFINE_int64(count, 32, "cases of every instruction");
DEFINE_bool(invalid_metadata, false, "metadata also with codes that PTX leaves undefined");

namespace twofour::cli {
namespace {

emu::GenerateOptions generate_options() {
  emu::GenerateOptions options;
  if (FLAGS_level == "boundary")
    options.level = emu::CaseLevel::boundary;
  else if (FLAGS_level == "random")
    options.level = emu::CaseLevel::random;
  else if (FLAGS_level != "all")
    fail("flag --level: '{}' is none of boundary, random, all, open-questions", FLAGS_level);
  options.seed = std::uint64_t(FLAGS_seed);
  options.invalid_metadata = FLAGS_invalid_metadata;
  return options;
}

int generate(std::span<const std::string>) {
  const auto architecture = isa::parse_architecture(FLAGS_arch);
  if (FLAGS_level == "open-questions") {
    if (!FLAGS_instruction.empty() || !FLAGS_family.empty())
      fail("flag --level: open-questions brings its own instructions; leave out --instruction and --family");
    fmt::print("{}\n", emu::case_file_header);
    for (const auto& c : emu::open_questions(architecture)) fmt::print("\n{}", emu::case_text(c));
    return exit_ok;
  }
  if (!FLAGS_instruction.empty() && !FLAGS_family.empty())
    fail("flag --family: --instruction names the instructions already; leave out one of them");
  if (FLAGS_count < 1) fail("flag --count: at least 1 case is needed, not {}", FLAGS_count);
  const auto options = generate_options();
  const auto rows = emu::select_instructions(FLAGS_instruction, FLAGS_family, architecture);
  fmt::print("{}\n", emu::case_file_header);
  for (const auto& row : rows)
    for (std::int64_t n = 0; n < FLAGS_count; ++n)
      fmt::print("{}", emu::case_text(emu::generate_case(row, int(n), options)));
  return exit_ok;
}

int answer(std::span<const std::string> files) {
  const auto architecture = isa::parse_architecture(FLAGS_arch);
  const Input input(files[0]);
  emu::Lines lines(input.name(), input.stream());
  emu::CaseReader reader(lines);
  fmt::print("{}\n{}", emu::case_file_header,
             emu::answered_text(isa::compute_capability(architecture), "twofour"));
  while (auto c = reader.next()) {
    if (!emu::has_cases(c->instruction, architecture))
      fail("{}:{}: instruction: {} has no {} that the emulator knows", input.name(), c->line, FLAGS_arch,
           isa::short_name(c->instruction));
    c->options.architecture = architecture;
    c->d = emu::execute(c->instruction, c->operands, c->options);
    fmt::print("{}", emu::case_text(*c));
  }
  return exit_ok;
}

}  // namespace

Command vectors_command() {
  return {
      "vectors",
      "",
      "write register-level test cases for a GPU",
      "A case is one execution of one instruction on the registers of 32 lanes (docs/vectors.md). Without\n"
      "--instruction (names with commas between) and --family: every mma and mma.sp of --arch.\n"
      "The same seed gives the same bytes on every machine. On a machine with a GPU (examples/hardware):\n"
      "  twofour vectors | tensor_core_run | twofour replay -",
      {"instruction", "family", "arch", "level", "count", "seed", "invalid_metadata"},
      0,
      0,
      generate};
}

Command vectors_answer_command() {
  return {"vectors answer",
          "FILE",
          "fill in what this emulator computes, as a GPU would",
          "FILE: cases, or - for standard input.\n"
          "Example: twofour vectors --family mma.sp | twofour vectors answer - | twofour replay -",
          {"arch"},
          1,
          1,
          answer};
}

}  // namespace twofour::cli
