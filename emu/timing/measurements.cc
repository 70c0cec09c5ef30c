#include "twofour/emu/timing/measurements.h"

#include "twofour/emu/timing/gemm_table.h"

namespace twofour::emu {

bool is_held_out(std::int64_t n, std::int64_t k) {
  auto x = static_cast<std::uint64_t>(n) * 0x9E3779B97F4A7C15u ^
           static_cast<std::uint64_t>(k) * 0xC2B2AE3D27D4EB4Fu;
  x ^= x >> 31;
  x *= 0xBF58476D1CE4E5B9u;
  x ^= x >> 29;
  x *= 0x94D049BB133111EBu;
  x ^= x >> 32;
  return x % 10 >= 6;
}

bool is_validation(std::int64_t n, std::int64_t k) {
  if (is_held_out(n, k)) return false;
  auto x = static_cast<std::uint64_t>(n) * 0x9E3779B97F4A7C15u +
           static_cast<std::uint64_t>(k) * 0xD6E8FEB86659FD93u;
  x ^= x >> 32;
  x *= 0xD6E8FEB86659FD93u;
  x ^= x >> 29;
  return x % 4 == 0;
}

std::vector<Measurement> load_measurements(const std::string& path, Launch launch, double most_spread) {
  const auto table = isa::CsvTable::read(path);
  std::vector<Measurement> measurements;
  for (const auto& row : table.rows()) {
    if (table.has("rel_spread") && table.number(row, "rel_spread") > most_spread) continue;
    const auto problem = gemm_problem(table, row, launch);
    measurements.push_back({problem, table.number(row, "latency_us"), is_held_out(problem.n, problem.k),
                            is_validation(problem.n, problem.k), row.line});
  }
  return measurements;
}

}  // namespace twofour::emu
