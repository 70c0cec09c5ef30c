#include "twofour/emu/timing/gemm_table.h"

#include <vector>

#include "twofour/emu/timing/latency_cache.h"

namespace twofour::emu {

using isa::CsvTable;

GemmProblem gemm_problem(const CsvTable& table, const CsvTable::Row& row, Launch launch) {
  GemmProblem problem;
  for (const auto& [column, size] : {std::pair("M", &problem.m), {"N", &problem.n}, {"K", &problem.k}}) {
    *size = table.integer(row, column);
    if (*size < 1) table.refuse(row, table.field(row, column), fmt::format("{} must be at least 1", column));
  }
  const auto& dtype = table.field(row, "dtype");
  const auto type = isa::find_element(dtype.text);
  if (!type)
    table.refuse(row, dtype,
                 fmt::format("unknown dtype '{}'; such as f16, bf16, tf32, s8, s4, b1", dtype.text));
  problem.type = *type;
  problem.output_bits = default_output_bits(*type);
  problem.launch = launch;
  if (table.has("sparse")) {
    const auto& field = table.field(row, "sparse");
    problem.sparse = field.text == "1" || field.text == "true";
    if (!problem.sparse && field.text != "0" && field.text != "false")
      table.refuse(row, field, fmt::format("sparse is '{}', not 0, 1, false or true", field.text));
  }
  return problem;
}

namespace {

/// The machine at a clock, and the rows that run at it: floats and integers sustain different ones.
struct ClockedRows {
  isa::Machine machine;
  std::vector<std::size_t> rows;
  std::vector<GemmProblem> problems;
};

std::vector<ClockedRows> by_clock(std::span<const GemmProblem> problems, const isa::Machine& machine,
                                  const isa::Clock& clock) {
  std::vector<ClockedRows> groups{{at_clock(machine, clock, isa::ElementType::f16), {}, {}},
                                  {at_clock(machine, clock, isa::ElementType::s8), {}, {}}};
  for (std::size_t i = 0; i < problems.size(); ++i) {
    auto& group = groups[isa::is_float(problems[i].type) ? 0 : 1];
    group.rows.push_back(i);
    group.problems.push_back(problems[i]);
  }
  return groups;
}

/// Latencies of the rows' problems; a refused one is told with its line.
std::vector<Latency> latencies(const CsvTable& table, std::span<const GemmProblem> problems,
                               const isa::Machine& machine, const isa::Clock& clock) {
  std::vector<Latency> out(problems.size());
  for (const auto& group : by_clock(problems, machine, clock)) {
    LatencyCache cache(group.machine);
    std::vector<double> microseconds(group.rows.size());
    try {
      cache.microseconds(group.problems, microseconds);
    } catch (const BatchError& error) {
      const auto& row = table.rows()[group.rows[error.index]];
      table.refuse(row, table.field(row, "dtype"), error.what());
    }
    for (std::size_t i = 0; i < group.rows.size(); ++i) out[group.rows[i]] = cache.latency(group.problems[i]);
  }
  return out;
}

}  // namespace

std::string predict_gemms(const CsvTable& table, const isa::Machine& machine, Launch launch,
                          const isa::Clock& clock) {
  for (const std::string_view column : {"predicted_us", "low_us", "high_us"})
    if (table.has(column))
      fail("{}:1:1: the table has a column '{}' already; remove it first", table.file(), column);
  std::vector<GemmProblem> problems;
  for (const auto& row : table.rows()) problems.push_back(gemm_problem(table, row, launch));
  std::string out = fmt::format("{},predicted_us,low_us,high_us\n", table.header().raw);
  const auto answers = latencies(table, problems, machine, clock);
  for (std::size_t i = 0; i < answers.size(); ++i)
    out += fmt::format("{},{:.4f},{:.4f},{:.4f}\n", table.rows()[i].raw, answers[i].microseconds,
                       answers[i].low_us, answers[i].high_us);
  return out;
}

}  // namespace twofour::emu
