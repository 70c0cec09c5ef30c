#include "twofour/emu/replay/replay.h"

#include <fmt/format.h>
#include <gflags/gflags.h>

#include <limits>
#include <sstream>

#include "twofour/cli/commands.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/input.h"
#include "twofour/cli/output.h"

namespace twofour::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string hex(std::uint64_t word, int digits) {
  return fmt::format("{:0{}x}", word, digits);
}

emu::ReplayOptions options() {
  emu::ReplayOptions out;
  if (!gflags::GetCommandLineFlagInfoOrDie("arch").is_default)
    out.architecture = isa::parse_architecture(FLAGS_arch);
  out.instruction = FLAGS_instruction;
  return out;
}

void print_mismatch(const std::string& file, const emu::Mismatch& m) {
  fmt::print("mismatch: {}:{}: {}: ", file, m.line, m.instruction);
  if (m.lane >= 0)
    fmt::print("lane {}, register d{}, bit {}, row {}, column {}: ", m.lane, m.reg, m.bit, m.row, m.col);
  fmt::print("expected {}, computed {}", hex(m.expected, m.digits), hex(m.computed, m.digits));
  if (m.lane >= 0) fmt::print(" ({} of {} elements differ)", m.differing, m.elements);
  fmt::print("\n");
  std::istringstream note(m.note);
  for (std::string line; std::getline(note, line);) fmt::print("    {}\n", line);
}

void print_report(const std::string& file, const emu::ReplayReport& report) {
  fmt::print("{}: {} agreeing, {} disagreeing of {} vectors{}\n", file, report.agreeing, report.disagreeing,
             report.agreeing + report.disagreeing,
             report.derived.empty() ? "" : fmt::format(" ({})", report.derived));
  if (report.tallies.size() > 1)
    for (const auto& t : report.tallies)
      fmt::print("  {:<9} {:<48} {:>8} agreeing {:>8} disagreeing\n", isa::name(t.architecture),
                 t.instruction, t.agreeing, t.disagreeing);
  for (const auto& m : report.mismatches) print_mismatch(file, m);
  if (const auto rest = report.disagreeing - std::int64_t(report.mismatches.size()); rest > 0)
    fmt::print("and {} more vectors that disagree\n", rest);
}

Json to_json(const emu::Mismatch& m) {
  Json j{{"line", m.line},
         {"instruction", m.instruction},
         {"expected", hex(m.expected, m.digits)},
         {"computed", hex(m.computed, m.digits)}};
  if (m.lane >= 0)
    j.update({{"lane", m.lane},
              {"register", m.reg},
              {"bit", m.bit},
              {"row", m.row},
              {"column", m.col},
              {"differing_elements", m.differing},
              {"elements", m.elements},
              {"note", m.note}});
  return j;
}

Json to_json(const std::string& file, const emu::ReplayReport& report) {
  Json instructions = Json::array(), mismatches = Json::array();
  for (const auto& t : report.tallies)
    instructions.push_back({{"architecture", isa::name(t.architecture)},
                            {"instruction", t.instruction},
                            {"agreeing", t.agreeing},
                            {"disagreeing", t.disagreeing}});
  for (const auto& m : report.mismatches) mismatches.push_back(to_json(m));
  return {{"file", file},
          {"derived", report.derived},
          {"vectors", report.agreeing + report.disagreeing},
          {"agreeing", report.agreeing},
          {"disagreeing", report.disagreeing},
          {"instructions", instructions},
          {"mismatches", mismatches}};
}

int run(std::span<const std::string> paths) {
  std::int64_t agreeing = 0, disagreeing = 0;
  Json files = Json::array();
  for (const auto& path : paths) {
    const Input input(path);
    const auto report = emu::replay(input.name(), input.stream(), options());
    agreeing += report.agreeing, disagreeing += report.disagreeing;
    if (FLAGS_json)
      files.push_back(to_json(input.name(), report));
    else
      print_report(input.name(), report);
  }
  if (FLAGS_json)
    print_json("replay", {{"vectors", agreeing + disagreeing},
                          {"agreeing", agreeing},
                          {"disagreeing", disagreeing},
                          {"files", files}});
  else if (paths.size() > 1)
    fmt::print("{} files: {} agreeing, {} disagreeing of {} vectors\n", paths.size(), agreeing, disagreeing,
               agreeing + disagreeing);
  return disagreeing == 0 ? exit_ok : exit_verdict;
}

}  // namespace

Command replay_command() {
  return {
      "replay",
      "FILE...",
      "compare recorded hardware words with the model, bit for bit",
      "FILE (- for standard input) holds cases of `twofour vectors` with a GPU's answers, or dot products:\n"
      "`a.. | b.. | c | d` in hex words, K products each (K: the instruction's k), or\n"
      "`ARCH INSTRUCTION K | a.. | b.. | c | d`; d may be z (equal to zero).\n"
      "What --arch and --instruction leave open is taken from the machine that answered, from a file's name\n"
      "(a100_fp16_k8_f32.hex: ampere m16n8k8.f32.f16.f16.f32), or is ampere.\n"
      "Exit status: 0 all agree, 1 a mismatch, 2 a file was refused.",
      {"arch", "instruction", "json"},
      1,
      std::numeric_limits<int>::max(),
      run};
}

}  // namespace twofour::cli
