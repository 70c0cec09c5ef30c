#include "twofour/isa/machine.h"

#include <fmt/format.h>
#include <gflags/gflags.h>

#include <algorithm>
#include <array>

#include "twofour/cli/commands.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/output.h"
#include "twofour/isa/error.h"

DEFINE_bool(toml, false, "print the machine file itself, to copy and edit");

namespace twofour::cli {
namespace {

using isa::ElementType;
using isa::Machine;
using isa::MachineEntry;
using Json = nlohmann::ordered_json;

struct Peak {
  std::string_view label;
  ElementType input, accumulator;
};
constexpr std::array peaks{Peak{"f16, f16 accumulator", ElementType::f16, ElementType::f16},
                           Peak{"f16, f32 accumulator", ElementType::f16, ElementType::f32},
                           Peak{"bf16", ElementType::bf16, ElementType::f32},
                           Peak{"tf32", ElementType::tf32, ElementType::f32},
                           Peak{"f64", ElementType::f64, ElementType::f64},
                           Peak{"fp8", ElementType::e4m3, ElementType::f32},
                           Peak{"int8", ElementType::s8, ElementType::s32},
                           Peak{"int4", ElementType::s4, ElementType::s32},
                           Peak{"b1", ElementType::b1, ElementType::s32}};

/// mma.sp knows neither f64 nor b1.
bool has_sparse(const Peak& p, const Machine& machine) {
  return machine.sparse_rate > 0 && p.input != ElementType::f64 && p.input != ElementType::b1;
}

std::string tops(double value) {
  return value > 0 ? fmt::format("{:.4g}", value) : "-";
}

void print_peaks(const Machine& m) {
  fmt::print("Peak at {:.0f} MHz, 10^12 operations a second\n  {:<22}{:>10}{:>10}\n", m.boost_mhz, "",
             "dense", "sparse");
  for (const auto& p : peaks)
    fmt::print("  {:<22}{:>10}{:>10}\n", p.label, tops(m.peak_tops(p.input, p.accumulator)),
               has_sparse(p, m) ? tops(m.peak_tops(p.input, p.accumulator, true)) : "-");
}

Json peaks_json(const Machine& m) {
  Json rows = Json::array();
  for (const auto& p : peaks)
    rows.push_back({{"type", p.label},
                    {"dense_tops", m.peak_tops(p.input, p.accumulator)},
                    {"sparse_tops", has_sparse(p, m) ? m.peak_tops(p.input, p.accumulator, true) : 0}});
  return rows;
}

int list(std::span<const std::string>) {
  Json rows = Json::array();
  if (!FLAGS_json)
    fmt::print("{:<16}{:<9}{:<7}{:>5}{:>8}{:>12}{:>12}{:>8}\n", "machine", "arch", "sm", "SMs", "MHz",
               "f16 TFLOP/s", "int8 TOP/s", "GB/s");
  for (const auto& name : isa::machine_names()) {
    const auto m = isa::load_machine(name);
    const double f16 = m.peak_tops(ElementType::f16, ElementType::f32),
                 int8 = m.peak_tops(ElementType::s8, ElementType::s32);
    rows.push_back({{"name", name},
                    {"architecture", isa::name(m.architecture)},
                    {"compute_capability", m.compute_capability},
                    {"sms", m.sms},
                    {"boost_mhz", m.boost_mhz},
                    {"f16_tops", f16},
                    {"int8_tops", int8},
                    {"dram_read_gbs", m.dram_read_gbs}});
    if (!FLAGS_json)
      fmt::print("{:<16}{:<9}{:<7}{:>5}{:>8}{:>12.4g}{:>12.4g}{:>8}\n", name, isa::name(m.architecture),
                 fmt::format("sm_{:.0f}", m.compute_capability), m.sms, m.boost_mhz, f16, int8,
                 m.dram_read_gbs);
  }
  if (FLAGS_json) print_json("machine list", {{"machines", rows}});
  return exit_ok;
}

Json entries_json(const std::vector<MachineEntry>& entries) {
  Json rows = Json::array();
  for (const auto& e : entries)
    rows.push_back({{"key", e.key}, {"value", e.value}, {"unit", e.unit}, {"source", e.source}});
  return rows;
}

int show(std::span<const std::string> names) {
  if (FLAGS_toml) {
    if (FLAGS_json) fail("machine show: give --toml or --json, not both");
    fmt::print("{}", isa::machine_text(names[0]));
    return exit_ok;
  }
  const auto machine = isa::load_machine(names[0]);
  const auto entries = isa::machine_entries(names[0]);
  if (FLAGS_json) {
    print_json("machine show", {{"name", machine.name},
                                {"architecture", isa::name(machine.architecture)},
                                {"peaks", peaks_json(machine)},
                                {"values", entries_json(entries)}});
    return exit_ok;
  }
  fmt::print("{} ({}, sm_{:.0f})\n", machine.name, isa::name(machine.architecture),
             machine.compute_capability);
  print_peaks(machine);
  for (const auto& e : entries)
    fmt::print("{:<27}{:>8} {:<8} {}\n", e.key, fmt::format("{}", e.value), e.unit, e.source);
  return exit_ok;
}

struct Difference {
  MachineEntry mine, theirs;
};

std::vector<Difference> differences(const std::vector<MachineEntry>& mine, const std::string& built_in) {
  const auto theirs = isa::machine_entries(built_in);
  std::vector<Difference> out;
  for (std::size_t i = 0; i < mine.size(); ++i)
    if (mine[i].value != theirs[i].value) out.push_back({mine[i], theirs[i]});
  return out;
}

/// The built-in machine of that name, or else the one with the fewest other numbers.
std::string nearest(const Machine& machine, const std::vector<MachineEntry>& entries) {
  const auto names = isa::machine_names();
  if (std::find(names.begin(), names.end(), machine.name) != names.end()) return machine.name;
  return *std::min_element(names.begin(), names.end(), [&](const auto& a, const auto& b) {
    return differences(entries, a).size() < differences(entries, b).size();
  });
}

int check(std::span<const std::string> args) {
  const auto machine = isa::load_machine(args[0]);
  const auto entries = isa::machine_entries(args[0]);
  const auto base = args.size() > 1 ? isa::load_machine(args[1]).name : nearest(machine, entries);
  const auto found = differences(entries, args.size() > 1 ? args[1] : base);
  if (FLAGS_json) {
    Json rows = Json::array();
    for (const auto& d : found)
      rows.push_back({{"key", d.mine.key},
                      {"value", d.mine.value},
                      {"built_in", d.theirs.value},
                      {"unit", d.mine.unit},
                      {"source", d.mine.source}});
    print_json("machine check",
               {{"file", args[0]}, {"name", machine.name}, {"compared_with", base}, {"differences", rows}});
    return exit_ok;
  }
  fmt::print("{}: machine {} is complete and in range; {} of {} numbers differ from {}\n", args[0],
             machine.name, found.size(), entries.size(), base);
  for (const auto& d : found)
    fmt::print("{:<27}{:>8} {:<8} instead of {} ({})\n", d.mine.key, fmt::format("{}", d.mine.value),
               d.mine.unit, d.theirs.value, d.mine.source);
  return exit_ok;
}

}  // namespace

Command machine_list_command() {
  return {"machine list", "", "the machines that are built in", "", {"json"}, 0, 0, list};
}

Command machine_show_command() {
  return {"machine show",
          "NAME",
          "every number of a machine with its unit and source",
          "NAME is a built-in machine or the path of a machine file.\n"
          "Example: twofour machine show a30 --toml >my.toml",
          {"toml", "json"},
          1,
          1,
          show};
}

Command machine_check_command() {
  return {"machine check",
          "FILE [NAME]",
          "check a machine file and print what differs from a built-in machine",
          "Compared with NAME, or else with the built-in machine of the same name, or else with the nearest "
          "one.\n"
          "Exit status: 0 the file is good, 2 it was refused (file:line).",
          {"json"},
          1,
          2,
          check};
}

}  // namespace twofour::cli
