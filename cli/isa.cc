#include <fmt/format.h>
#include <gflags/gflags.h>

#include "twofour/cli/commands.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/isa_page.h"
#include "twofour/cli/output.h"
#include "twofour/isa/error.h"
#include "twofour/isa/evidence.h"
#include "twofour/isa/issue_timing.h"
#include "twofour/isa/lowering.h"

DEFINE_bool(markdown, false, "print docs/isa.md: every row, of all architectures");

namespace twofour::cli {
namespace {

using isa::Instruction;
using isa::Operand;

std::string sparsity_text(const Instruction& i) {
  switch (i.sparsity) {
    case isa::Sparsity::dense: return "dense";
    case isa::Sparsity::two_of_four: return "2:4";
    case isa::Sparsity::one_of_two: return "1:2";
    case isa::Sparsity::pairs_of_eight: return "4:8 pairs";
  }
  return "";
}

/// Registers of A, B, C, D; "-" where a row has no such operand.
std::string registers_text(const Instruction& i) {
  const auto count = [&](Operand o) {
    const int n = isa::registers(i, o);
    return n == 0 ? std::string("-") : fmt::format("{}", n);
  };
  return fmt::format("{},{},{},{}", count(Operand::a), count(Operand::b), count(Operand::c),
                     count(Operand::d));
}

std::string ptx_version(const Instruction& i) {
  const int version = isa::requirement(i).ptx;
  return fmt::format("{}.{}", version / 10, version % 10);
}

/// What the architecture's PTX has: the emulator may know the arithmetic of more.
bool available(const Instruction& i, isa::Architecture architecture) {
  return isa::requirement(i).sm <= isa::compute_capability(architecture);
}

/// The evidence, or that there is none (an instruction that PTX has, but whose arithmetic nobody published).
isa::Evidence evidence_or_none(const Instruction& i, isa::Architecture architecture) {
  try {
    return isa::evidence(i, architecture);
  } catch (const Error& e) {
    return {isa::Fidelity::inferred, e.what()};
  }
}

nlohmann::ordered_json timing_json(const Instruction& i) {
  if (!isa::has_issue_timing(i, a100())) return nullptr;
  const auto timing = isa::issue_timing(i, a100());
  return {{"issue_interval_cycles", timing.interval},
          {"effective_interval_cycles", timing.effective_interval},
          {"latency_cycles", timing.latency},
          {"measured", timing.measured}};
}

nlohmann::ordered_json to_json(const Instruction& i, isa::Architecture architecture) {
  const auto evidence = evidence_or_none(i, architecture);
  const auto count = [&](Operand o) { return isa::registers(i, o); };
  return {
      {"name", isa::short_name(i)},
      {"ptx", isa::ptx_name(i)},
      {"family", isa::name(i.family)},
      {"sass", isa::sass_name(i)},
      {"m", i.shape.m},
      {"n", i.shape.n},
      {"k", i.shape.k},
      {"types", {{"d", isa::name(i.d)}, {"a", isa::name(i.a)}, {"b", isa::name(i.b)}, {"c", isa::name(i.c)}}},
      {"sparsity", sparsity_text(i)},
      {"selectors", i.selectors()},
      {"satfinite", i.has_satfinite()},
      {"rounding", i.has_rounding()},
      {"registers",
       {{"a", count(Operand::a)},
        {"b", count(Operand::b)},
        {"c", count(Operand::c)},
        {"d", count(Operand::d)}}},
      {"sm", isa::requirement(i).sm},
      {"ptx_version", ptx_version(i)},
      {"timing", timing_json(i)},
      {"fidelity", isa::name(evidence.fidelity)},
      {"evidence", evidence.source}};
}

bool wanted(const Instruction& i, isa::Architecture architecture) {
  return available(i, architecture) && (FLAGS_family.empty() || FLAGS_family == isa::name(i.family));
}

int list(std::span<const std::string>) {
  if (FLAGS_markdown) {
    fmt::print("{}", isa_page());
    return exit_ok;
  }
  const auto architecture = isa::parse_architecture(FLAGS_arch);
  std::vector<const Instruction*> rows;
  for (const auto& i : isa::instructions())
    if (wanted(i, architecture)) rows.push_back(&i);
  if (rows.empty())
    fail(
        "flag --family: '{}' has no instruction on {}; families: mma, mma.sp, mma.sp::ordered_metadata, "
        "wmma.load, wmma.store, wmma.mma, ldmatrix, movmatrix, cp.async",
        FLAGS_family, FLAGS_arch);
  if (FLAGS_json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const auto* i : rows) list.push_back(to_json(*i, architecture));
    print_json("isa list", {{"architecture", FLAGS_arch}, {"instructions", list}});
    return exit_ok;
  }
  fmt::print("{:<48} {:<26} {:<9} {:>8} {:>5} {:>4} {:>8}  {}\n", "instruction", "SASS (sm_80)", "A operand",
             "A,B,C,D", "sm", "PTX", "interval", "fidelity");
  for (const auto* i : rows)
    fmt::print("{:<48} {:<26} {:<9} {:>8} {:>5} {:>4} {:>8}  {}\n", isa::short_name(*i), isa::sass_name(*i),
               i->multiplies() ? sparsity_text(*i) : "", registers_text(*i), isa::requirement(*i).sm,
               ptx_version(*i),
               isa::has_issue_timing(*i, a100())
                   ? fmt::format("{:.2f}", isa::issue_timing(*i, a100()).effective_interval)
                   : "-",
               isa::name(evidence_or_none(*i, architecture).fidelity));
  fmt::print("{} instructions on {}; A,B,C,D: 32-bit registers a lane; interval in SM cycles.\n", rows.size(),
             FLAGS_arch);
  return exit_ok;
}

void print_operands(const Instruction& i) {
  const int m = i.shape.m, n = i.shape.n, k = i.shape.k;
  fmt::print("  tile       {}D[{} x {}] = A[{} x {}] B[{} x {}] + C\n",
             i.products() > 1 ? fmt::format("{} products, each ", i.products()) : "", m, n, m, k, k, n);
  fmt::print("  types      D {}, A {}, B {}, C {}\n", isa::name(i.d), isa::name(i.a), isa::name(i.b),
             isa::name(i.c));
  if (i.is_sparse())
    fmt::print("  sparsity   {}; A stores {} of {} columns; {} codes of 4 bits a row; selector 0 to {}\n",
               sparsity_text(i), i.stored_k(), k, i.groups(), i.selectors() - 1);
  if (i.has_satfinite()) fmt::print("  qualifier  .satfinite: clamp to s32 instead of wrapping\n");
  if (i.has_rounding()) fmt::print("  qualifier  .rn (default), .rz, .rm, .rp\n");
  if (i.family != isa::Family::wmma_mma) return;
  const auto low = isa::lowering(i);
  fmt::print("  lowered to {} of {}{}{}{}{}\n", low.blocks * low.k_steps, isa::short_name(low.step),
             low.k_steps > 1 ? ", chained along k" : "", low.transposed ? ", transposed: B is its A" : "",
             low.widens_c ? ", C widened to f32 first" : "", low.narrows_d ? ", D rounded to f16 after" : "");
}

int show(std::span<const std::string> names) {
  const auto& i = isa::find_instruction(names[0]);
  const auto architecture = isa::parse_architecture(FLAGS_arch);
  if (FLAGS_json) {
    print_json("isa show", to_json(i, architecture));
    return exit_ok;
  }
  const auto evidence = evidence_or_none(i, architecture);
  fmt::print("{}\n", isa::ptx_name(i));
  if (!isa::sass_name(i).empty()) fmt::print("  SASS       {}\n", isa::sass_name(i));
  fmt::print("  since      sm_{}, PTX ISA {}\n", isa::requirement(i).sm, ptx_version(i));
  if (i.multiplies()) print_operands(i);
  if (registers_text(i) != "-,-,-,-")
    fmt::print("  registers  {} (A,B,C,D) of 32 bits a lane\n", registers_text(i));
  if (isa::has_issue_timing(i, a100())) {
    const auto timing = isa::issue_timing(i, a100());
    fmt::print("  timing     one in {:.2f} cycles a sub-core (ideal {:.0f}), latency {:.1f} cycles ({})\n",
               timing.effective_interval, timing.interval, timing.latency,
               timing.measured ? "published" : "by rule");
  }
  fmt::print("  fidelity   {}: {}\n", isa::name(evidence.fidelity), evidence.source);
  return exit_ok;
}

}  // namespace

Command isa_list_command() {
  return {"isa list",
          "",
          "list the matrix instructions",
          "Those of --arch; `twofour isa show NAME` tells all about one.",
          {"arch", "family", "markdown", "json"},
          0,
          0,
          list};
}
Command isa_show_command() {
  return {"isa show",
          "NAME",
          "show one matrix instruction",
          "NAME: a short name (m16n8k16.f32.f16.f16.f32, sp.m16n8k64.s32.s8.s8.s32) or the PTX spelling.",
          {"arch", "json"},
          1,
          1,
          show};
}

}  // namespace twofour::cli
