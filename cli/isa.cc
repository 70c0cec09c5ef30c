#include <fmt/format.h>
#include <gflags/gflags.h>

#include "twofour/cli/commands.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/output.h"
#include "twofour/isa/instruction.h"

namespace twofour::cli {
namespace {

std::string sparsity_text(const isa::Instruction& i) {
  switch (i.sparsity) {
    case isa::Sparsity::dense: return "dense";
    case isa::Sparsity::two_of_four: return "2:4";
    case isa::Sparsity::one_of_two: return "1:2";
    case isa::Sparsity::pairs_of_eight: return "4:8 pairs";
  }
  return "";
}

nlohmann::ordered_json to_json(const isa::Instruction& i) {
  const auto timing = isa::issue_timing(i);
  const auto evidence = isa::evidence(i);
  return {
      {"name", isa::short_name(i)},
      {"ptx", isa::ptx_name(i)},
      {"sass", isa::sass_name(i)},
      {"m", i.shape.m},
      {"n", i.shape.n},
      {"k", i.shape.k},
      {"types", {{"d", isa::name(i.d)}, {"a", isa::name(i.a)}, {"b", isa::name(i.b)}, {"c", isa::name(i.c)}}},
      {"sparsity", sparsity_text(i)},
      {"selectors", i.selectors()},
      {"registers",
       {{"a", i.registers_a()}, {"b", i.registers_b()}, {"c", i.registers_c()}, {"d", i.registers_d()}}},
      {"issue_interval_cycles", timing.interval},
      {"effective_interval_cycles", timing.effective_interval},
      {"latency_cycles", timing.latency},
      {"timing_measured", timing.measured},
      {"fidelity", isa::name(evidence.fidelity)},
      {"evidence", evidence.source}};
}

int list(std::span<const std::string>) {
  if (FLAGS_json) {
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    for (const auto& i : isa::instructions()) rows.push_back(to_json(i));
    print_json("isa list", {{"instructions", rows}});
    return exit_ok;
  }
  fmt::print("{:<34} {:<26} {:<9} {:>11}  {:>8} {:>7}  {}\n", "instruction", "SASS (sm_80)", "A operand",
             "regs A,B,C", "interval", "latency", "fidelity");
  for (const auto& i : isa::instructions()) {
    const auto timing = isa::issue_timing(i);
    fmt::print("{:<34} {:<26} {:<9} {:>11}  {:>8.2f} {:>7.1f}  {}\n", isa::short_name(i), isa::sass_name(i),
               sparsity_text(i), fmt::format("{},{},{}", i.registers_a(), i.registers_b(), i.registers_c()),
               timing.effective_interval, timing.latency, isa::name(isa::evidence(i).fidelity));
  }
  fmt::print("{} instructions; interval and latency in SM cycles.\n", isa::instructions().size());
  return exit_ok;
}

int show(std::span<const std::string> names) {
  const auto& i = isa::find_instruction(names[0]);
  if (FLAGS_json) {
    print_json("isa show", to_json(i));
    return exit_ok;
  }
  const auto timing = isa::issue_timing(i);
  const auto evidence = isa::evidence(i);
  fmt::print("{}\n  SASS       {}\n  tile       D[{} x {}] = A[{} x {}] B[{} x {}] + C\n", isa::ptx_name(i),
             isa::sass_name(i), i.shape.m, i.shape.n, i.shape.m, i.shape.k, i.shape.k, i.shape.n);
  fmt::print("  types      D {}, A {}, B {}, C {}\n  registers  A {}, B {}, C {}, D {} of 32 bits a lane\n",
             isa::name(i.d), isa::name(i.a), isa::name(i.b), isa::name(i.c), i.registers_a(), i.registers_b(),
             i.registers_c(), i.registers_d());
  if (i.is_sparse())
    fmt::print("  sparsity   {}; A stores {} of {} columns; {} codes of 4 bits a row; selector 0 to {}\n",
               sparsity_text(i), i.stored_k(), i.shape.k, i.groups(), i.selectors() - 1);
  fmt::print("  timing     one in {:.2f} cycles a sub-core (ideal {:.0f}), latency {:.1f} cycles ({})\n",
             timing.effective_interval, timing.interval, timing.latency,
             timing.measured ? "published" : "by rule");
  fmt::print("  fidelity   {}: {}\n", isa::name(evidence.fidelity), evidence.source);
  return exit_ok;
}

}  // namespace

Command isa_list_command() {
  return {
      "isa", "",  "list the matrix instructions", "`twofour isa show NAME` tells all about one.", {"json"}, 0,
      0,     list};
}
Command isa_show_command() {
  return {"isa show",
          "NAME",
          "show one matrix instruction",
          "NAME: a short name (m16n8k16.f32.f16.f16.f32, sp.m16n8k64.s32.s8.s8.s32) or the PTX spelling.",
          {"json"},
          1,
          1,
          show};
}

}  // namespace twofour::cli
