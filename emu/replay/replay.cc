#include "twofour/emu/replay/replay.h"

#include "twofour/emu/replay/case_compare.h"
#include "twofour/emu/replay/dot_line.h"
#include "twofour/emu/replay/recorded_name.h"
#include "twofour/isa/evidence.h"

namespace twofour::emu {
namespace {

void count(ReplayReport& report, isa::Architecture architecture, const isa::Instruction& instruction,
           std::optional<Mismatch> mismatch) {
  const std::string name = isa::short_name(instruction);
  Tally* tally = nullptr;
  for (Tally& t : report.tallies)
    if (t.architecture == architecture && t.instruction == name) tally = &t;
  if (tally == nullptr) tally = &report.tallies.emplace_back(Tally{architecture, name, 0, 0});
  if (!mismatch) {
    ++tally->agreeing, ++report.agreeing;
    return;
  }
  ++tally->disagreeing, ++report.disagreeing;
  if (report.mismatches.size() < max_mismatches) report.mismatches.push_back(std::move(*mismatch));
}

/// The generation of a compute capability: sm_86 is ampere's, sm_89 ada's.
isa::Architecture generation(const Lines& lines, int compute_capability) {
  using enum isa::Architecture;
  for (const auto a : {blackwell, hopper, ada, ampere, turing, volta})
    if (isa::compute_capability(a) <= compute_capability) return a;
  lines.refuse("answered", fmt::format("sm_{} has no Tensor Cores", compute_capability));
}

void check_case(const Lines& lines, const Case& c, isa::Architecture architecture) {
  const auto refuse = [&](std::string_view field, std::string_view why) {
    fail("{}:{}: {}: {}", lines.name(), c.line, field, why);
  };
  if (!c.d) refuse("d", "the case has no answer: run it on a GPU, or through `twofour vectors answer`");
  try {
    isa::evidence(c.instruction, architecture);
  } catch (const Error& e) {
    refuse("instruction", e.what());
  }
}

void replay_cases(Lines& lines, const ReplayOptions& options, ReplayReport& report) {
  CaseReader reader(lines);
  while (const auto c = reader.next()) {
    const int sm = reader.compute_capability();
    const auto architecture = options.architecture ? *options.architecture
                              : sm > 0             ? generation(lines, sm)
                                                   : isa::Architecture::ampere;
    if (!options.architecture && sm > 0)
      report.derived = fmt::format("{}, from the file: answered by sm_{}", isa::name(architecture), sm);
    check_case(lines, *c, architecture);
    count(report, architecture, c->instruction, compare(*c, architecture));
  }
}

/// Fills what the options leave open from the file's name.
ReplayOptions complete(ReplayOptions options, const std::string& file, std::string& derived) {
  const auto name = recorded_name(file);
  if (!name || (options.architecture && !options.instruction.empty())) return options;
  if (!options.architecture) {
    options.architecture = name->architecture;
    derived = isa::name(name->architecture);
  }
  if (options.instruction.empty()) {
    options.instruction = name->instruction;
    derived += (derived.empty() ? "" : " ") + name->instruction;
  }
  derived += ", from the file's name";
  return options;
}

void replay_dots(Lines& lines, const ReplayOptions& given, ReplayReport& report) {
  const ReplayOptions options = complete(given, lines.name(), report.derived);
  std::string_view text;
  while (lines.next(&text)) {
    if (text.empty() || text[0] == '#') continue;
    const DotLine line(lines, text, options.architecture.value_or(isa::Architecture::ampere),
                       options.instruction);
    count(report, line.architecture(), line.instruction(), line.compare());
  }
}

/// Reads up to the first line that says something, and puts it back.
bool starts_cases(Lines& lines) {
  std::string_view text;
  while (lines.next(&text))
    if (!text.empty() && text[0] != '#') {
      lines.put_back();
      return text.starts_with("twofour-cases");
    }
  return false;
}

}  // namespace

ReplayReport replay(const std::string& file_name, std::istream& text, const ReplayOptions& options) {
  ReplayReport report;
  Lines lines(file_name, text);
  if (starts_cases(lines))
    replay_cases(lines, options, report);
  else
    replay_dots(lines, options, report);
  if (report.agreeing + report.disagreeing == 0) fail("{}: holds no vectors", file_name);
  return report;
}

}  // namespace twofour::emu
