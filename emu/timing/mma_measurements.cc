#include "twofour/emu/timing/mma_measurements.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "twofour/isa/csv.h"

namespace twofour::emu {
namespace {

using isa::CsvTable;

/// The PTX name of a row; both operations of b1 share one and take the same time.
const isa::Instruction& instruction(const CsvTable& table, const CsvTable::Row& row) {
  const auto& field = table.field(row, "instruction");
  std::string name = field.text;
  if (const auto both = name.find("{and,xor}"); both != std::string::npos) name.replace(both, 9, "and");
  try {
    return isa::find_instruction(name);
  } catch (const std::exception& error) {
    table.refuse(row, field, error.what());
  }
}

/// "4x3": independent mma of each of four warps. The small-k sparse rows do not say; 3 is the only number up
/// to 4 for which an iteration takes longer than the published latency and no mma less than its published
/// interval.
int independent(const CsvTable& table, const CsvTable::Row& row, std::string_view column, int warps) {
  const auto& field = table.field(row, column);
  if (field.text.empty()) return 3;
  const auto x = field.text.find('x');
  int count = 0;
  if (x != std::string::npos && field.text.substr(0, x) == std::to_string(warps))
    std::from_chars(field.text.data() + x + 1, field.text.data() + field.text.size(), count);
  if (count < 1) table.refuse(row, field, fmt::format("is '{}', not {}xN", field.text, warps));
  return count;
}

/// 1024.5 FMA/clk/SM of four warps would be an iteration of 8.0 cycles a mma: shorter than the published
/// latency with two independent mma, and with three a third longer than the rows beside it, which are alike
/// else.
bool unexplained(const isa::Instruction& i, int warps) {
  return warps == 4 && isa::short_name(i) == "sp.m16n8k16.f32.f16.f16.f32";
}

}  // namespace

std::string_view name(MmaQuantity quantity) {
  switch (quantity) {
    case MmaQuantity::completion_latency: return "completion latency";
    case MmaQuantity::iteration: return "iteration";
    case MmaQuantity::throughput: return "FMA/clk/SM";
  }
  return "";
}

std::vector<MmaMeasurement> load_mma_measurements(const std::string& path) {
  const auto table = CsvTable::read(path);
  std::vector<MmaMeasurement> measurements;
  for (const auto& row : table.rows()) {
    if (table.field(row, "best_measured_fma_clk_sm").text.empty()) continue;
    const auto& mma = instruction(table, row);
    const double latency = table.number(row, "completion_latency_cyc");
    measurements.push_back({&mma, 1, 1, MmaQuantity::completion_latency, latency, false, ""});
    for (const auto& [warps, prefix] : {std::pair(4, std::string("cfg4_")), {8, std::string("cfg8_")}}) {
      const bool known = !table.field(row, prefix + "warps_x_ilp").text.empty();
      const int count = independent(table, row, prefix + "warps_x_ilp", warps);
      if (known)
        measurements.push_back({&mma, warps, count, MmaQuantity::iteration,
                                table.number(row, prefix + "iter_latency_cyc"), false, ""});
      MmaMeasurement m{
          &mma,  warps, count, MmaQuantity::throughput, table.number(row, prefix + "throughput_fma_clk_sm"),
          false, ""};
      if (!known) m.remark = "independent mma not published: 3 assumed";
      if (!known && unexplained(mma, warps)) {
        m.doubtful = true;
        m.remark = "not compared: no number of independent mma explains it";
      }
      measurements.push_back(m);
    }
  }
  return measurements;
}

double simulate(const MmaMeasurement& m, const isa::Machine& machine, const PipelineConstants& constants) {
  const auto time = time_mma_loop({m.instruction, m.warps, m.independent, 1024}, machine, nullptr, constants);
  return m.quantity == MmaQuantity::throughput ? time.fma_per_clk : time.iteration_cycles;
}

}  // namespace twofour::emu
