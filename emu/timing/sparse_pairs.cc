#include "twofour/emu/timing/sparse_pairs.h"

#include "twofour/emu/timing/gemm_table.h"
#include "twofour/emu/timing/measurements.h"

namespace twofour::emu {

std::vector<SparsePair> load_sparse_pairs(const std::string& path) {
  const auto table = isa::CsvTable::read(path);
  std::vector<SparsePair> pairs;
  for (const auto& row : table.rows()) {
    const auto problem = gemm_problem(table, row, Launch::stream);
    pairs.push_back({problem, table.number(row, "sparse_us"), table.number(row, "dense_us"),
                     is_held_out(problem.m * problem.n, problem.k), row.line});
  }
  return pairs;
}

PairPrediction predict_pair(const SparsePair& pair, const isa::Machine& machine,
                            const TimingConstants& constants) {
  GemmProblem sparse = pair.dense;
  sparse.sparse = true;
  return {gemm_latency(sparse, machine, constants), gemm_latency(pair.dense, machine, constants)};
}

}  // namespace twofour::emu
