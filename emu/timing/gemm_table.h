#pragma once
#include <string>

#include "twofour/emu/timing/gemm_latency.h"
#include "twofour/isa/clock.h"
#include "twofour/isa/csv.h"

namespace twofour::emu {

/// The problem of a row: columns M, N, K and dtype, and sparse (0, 1, false, true) where the table has it. M
/// and K are the rows and columns of A, the operand that is 2:4 when sparse. D is 32 bits wide for tf32 and
/// 16 for the rest.
GemmProblem gemm_problem(const isa::CsvTable& table, const isa::CsvTable::Row& row, Launch launch);

/// The same table with columns predicted_us, low_us and high_us appended; header and rows as they were.
std::string predict_gemms(const isa::CsvTable& table, const isa::Machine& machine, Launch launch,
                          const isa::Clock& clock = {});

}  // namespace twofour::emu
