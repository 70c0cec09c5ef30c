#include "twofour/cli/isa_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "twofour/isa/evidence.h"
#include "twofour/isa/issue_timing.h"

namespace twofour::cli {
namespace {

using isa::Architecture;
using isa::Family;
using isa::Instruction;
using isa::Operand;

constexpr std::array families{Family::mma,      Family::mma_sp,    Family::mma_sp_ordered,
                              Family::wmma_mma, Family::wmma_load, Family::wmma_store,
                              Family::ldmatrix, Family::movmatrix, Family::cp_async};

Architecture home(const Instruction& i) {
  return isa::requirement(i).sm > 80 ? Architecture::ada : Architecture::ampere;
}

std::string registers_cell(const Instruction& i) {
  const auto count = [&](Operand o) { return isa::registers(i, o); };
  if (i.multiplies())
    return fmt::format("{}, {}, {}, {}", count(Operand::a), count(Operand::b), count(Operand::c),
                       count(Operand::d));
  if (i.family == Family::ldmatrix || i.family == Family::movmatrix)
    return fmt::format("{}", i.movement.matrices);
  const int moved = i.family == Family::cp_async ? 0 : count(i.moved);
  return moved == 0 ? "" : fmt::format("{}", moved);
}

std::string timing_cell(const Instruction& i) {
  if (!isa::has_issue_timing(i, a100())) return "";
  const auto timing = isa::issue_timing(i, a100());
  return fmt::format("{:.2f}, {:.1f}{}", timing.effective_interval, timing.latency,
                     timing.measured ? "" : " (rule)");
}

std::string row(const Instruction& i) {
  const auto need = isa::requirement(i);
  const auto evidence = isa::evidence(i, home(i));
  return fmt::format("| `{}` | {} | {} | sm_{} | {}.{} | {} | {} |\n", isa::ptx_name(i), isa::sass_name(i),
                     registers_cell(i), need.sm, need.ptx / 10, need.ptx % 10, timing_cell(i),
                     isa::name(evidence.fidelity));
}

std::string family_table(Family family) {
  std::string rows;
  int count = 0;
  for (const auto& i : isa::instructions())
    if (i.family == family) rows += row(i), ++count;
  return fmt::format(
      "\n## {} ({})\n| PTX | SASS on sm_80 | registers | since | PTX ISA | interval, latency | fidelity |\n"
      "|---|---|---|---|---|---|---|\n{}",
      isa::name(family), count, rows);
}

/// Which rules stand behind the grades: each kind of evidence once.
std::string evidence_list() {
  std::string list;
  std::vector<std::string> seen;
  for (const auto& i : isa::instructions()) {
    const auto e = isa::evidence(i, home(i));
    const std::string line = fmt::format("- {}: {}.\n", isa::name(e.fidelity), e.source);
    if (i.family == Family::wmma_mma || std::find(seen.begin(), seen.end(), line) != seen.end()) continue;
    seen.push_back(line);
    list += line;
  }
  return list;
}

}  // namespace

const isa::Machine& a100() {
  static const auto machine = isa::load_machine("a100-sxm4-80gb");
  return machine;
}

std::string isa_page() {
  std::string page =
      "# The matrix instructions\n"
      "Printed from the instruction table by `twofour isa list --markdown`; `scripts/update-docs` writes "
      "this page "
      "again.\n\n"
      "The 332 forms that the PTX ISA documents for sm_80, and the fp8 mma of sm_89. Registers are 32-bit "
      "ones a "
      "lane, of A, B, C\n"
      "and D (or of the one fragment that moves). Interval and latency are SM cycles of one sub-core of an "
      "A100: "
      "\"(rule)\" marks\n"
      "those that no one has published and the rule of their class gives. `mma.sp` also reads one metadata "
      "register. Integer forms\n"
      "take `.satfinite`; f64 ones `.rn`, `.rz`, `.rm`, `.rp`.\n\n"
      "## Fidelity of the arithmetic\n" +
      evidence_list() +
      "- wmma.mma: the grade of the instructions that it is lowered to (`twofour isa show NAME` names "
      "them).\n";
  for (const Family family : families) page += family_table(family);
  return page;
}

}  // namespace twofour::cli
