#include "twofour/emu/timing/gemm_table.h"

#include "twofour/isa/error.h"

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

std::string predict_gemms(const CsvTable& table, const isa::Machine& machine, Launch launch,
                          const isa::Clock& clock) {
  constexpr std::string_view column = "predicted_us";
  if (table.has(column))
    fail("{}:1:1: the table has a column '{}' already; remove it first", table.file(), column);
  std::string out = fmt::format("{},{}\n", table.header().raw, column);
  for (const auto& row : table.rows()) {
    const auto problem = gemm_problem(table, row, launch);
    try {
      out += fmt::format("{},{:.4f}\n", row.raw,
                         gemm_latency(problem, isa::at_clock(machine, clock, problem.type)).microseconds);
    } catch (const Error& error) {
      table.refuse(row, table.field(row, "dtype"), error.what());
    }
  }
  return out;
}

}  // namespace twofour::emu
