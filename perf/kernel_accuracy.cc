// The simulated kernels beside the latency model's, schedule by schedule, and beside measured A100 kernels
// (training rows). Usage: kernel_accuracy [EVERY [FOLDER]]   every EVERYth row of a file (default 200);
// FOLDER: default data/timing of the source tree
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <map>
#include <tuple>

#include "twofour/emu/kernel/simulate.h"
#include "twofour/emu/timing/measurements.h"
#include "twofour/isa/error.h"

namespace {

using namespace twofour;

/// One GEMM timed twice, and perhaps measured.
struct Pair {
  double simulated, modelled, measured;  ///< us; measured 0: it is not
  std::string bound;                     ///< of the model
  std::string what;                      ///< size, schedule and bound of the simulation
};

class Ratios {
 public:
  void add(const std::string& label, double ratio) { ratios_[label].push_back(ratio); }
  void print(const char* title) {
    std::printf("  %s\n", title);
    for (auto& [label, r] : ratios_) {
      std::sort(r.begin(), r.end());
      double error = 0, log = 0;
      for (const double x : r) error += std::abs(x - 1), log += std::log(x);
      const auto n = static_cast<double>(r.size());
      const auto at = [n, &sorted = r](double q) { return sorted[static_cast<std::size_t>(q * (n - 1))]; };
      std::printf(
          "    %-24s %4.0f rows  least %.2f  5 %% %.2f  median %.2f  95 %% %.2f  most %.2f  geometric mean "
          "%.2f  "
          "mean |1 - x| %.1f %%\n",
          label.c_str(), n, r.front(), at(0.05), at(0.5), at(0.95), r.back(), std::exp(log / n),
          100 * error / n);
    }
  }

 private:
  std::map<std::string, std::vector<double>> ratios_;
};

std::string size_class(double us) {
  return us < 10 ? "< 10 us" : us <= 100 ? "10-100 us" : "> 100 us";
}

/// Adds the pair of a problem; counts those that have no tiled kernel.
void compare(const emu::GemmProblem& problem, double measured, const isa::Machine& machine,
             std::vector<Pair>& pairs, std::map<std::string, int>& refused) {
  const auto latency = emu::gemm_latency(problem, machine);
  if (latency.gemv) return;
  try {
    const auto s = emu::simulate_kernel(problem, latency.schedule, machine);
    const auto what = fmt::format("{} x {} x {}, tile {} x {} x {} B, split {}; {}", problem.m, problem.n,
                                  problem.k, latency.schedule.tile.m, latency.schedule.tile.n,
                                  latency.schedule.tile.k_bytes, latency.schedule.splits, s.bound);
    pairs.push_back({s.microseconds, latency.microseconds, measured, std::string(name(latency.bound)), what});
  } catch (const Error& error) {
    ++refused[std::string(error.what()).substr(0, 60)];
  }
}

/// Of all types together.
Ratios& pooled() {
  static Ratios ratios;
  return ratios;
}

void print_worst(std::vector<Pair> pairs) {
  const auto worse = [](const Pair& a, const Pair& b) {
    return std::abs(std::log(a.simulated / a.measured)) > std::abs(std::log(b.simulated / b.measured));
  };
  std::sort(pairs.begin(), pairs.end(), worse);
  for (std::size_t i = 0; i < std::min<std::size_t>(pairs.size(), 10); ++i)
    std::printf("      measured %8.1f  simulated %8.1f  modelled %8.1f us  %s\n", pairs[i].measured,
                pairs[i].simulated, pairs[i].modelled, pairs[i].what.c_str());
}

void report(const char* title, const std::vector<Pair>& pairs, const std::map<std::string, int>& refused) {
  std::printf("%s\n", title);
  for (const auto& [why, count] : refused) std::printf("  refused %d: %s...\n", count, why.c_str());
  if (pairs.empty()) return;
  Ratios model, simulated, modelled;
  for (const Pair& p : pairs) {
    model.add("all", p.simulated / p.modelled);
    model.add(size_class(p.modelled), p.simulated / p.modelled);
    model.add("model says " + p.bound, p.simulated / p.modelled);
    pooled().add(size_class(p.modelled), p.simulated / p.modelled);
    pooled().add("all", p.simulated / p.modelled);
    if (p.measured == 0) continue;
    for (const auto& label : {std::string("all"), size_class(p.measured)}) {
      simulated.add(label, p.simulated / p.measured);
      modelled.add(label, p.modelled / p.measured);
    }
  }
  model.print("simulated over modelled, same schedule");
  if (pairs.front().measured == 0) return;
  simulated.print("simulated over measured");
  print_worst(pairs);
  modelled.print("modelled over measured, same rows");
}

void report_file(const std::string& path, int every, const isa::Machine& machine) {
  std::vector<Pair> pairs;
  std::map<std::string, int> refused;
  int count = 0;
  for (const auto& row : emu::load_measurements(path, emu::Launch::as_measured))
    if (!row.held_out && count++ % every == 0)
      compare(row.problem, row.microseconds, machine, pairs, refused);
  report(path.c_str(), pairs, refused);
}

/// Simulated time of a tile, data-parallel; infinite where it makes no kernel.
double tile_us(const emu::GemmProblem& problem, const emu::Tile& tile, const isa::Machine& machine) {
  emu::Schedule s;
  s.tile = tile;
  try {
    return emu::simulate_kernel(problem, s, machine).microseconds;
  } catch (const Error&) {
    return std::numeric_limits<double>::infinity();
  }
}

/// What the latency model's choice of a tile costs: its simulated time over that of the tile that simulates
/// fastest.
void report_choice(const char* type, bool sparse, const isa::Machine& machine) {
  Ratios cost;
  for (const auto& [m, n, k] : {std::tuple(4096, 4096, 4096),
                                {1024, 4096, 1024},
                                {256, 4096, 4096},
                                {2048, 512, 2048},
                                {64, 8192, 1024},
                                {16384, 256, 512}}) {
    emu::GemmProblem p{m, n, k, isa::parse_element(type), sparse};
    p.output_bits = emu::default_output_bits(p.type);
    const auto latency = emu::gemm_latency(p, machine);
    if (latency.schedule.splits > 1) continue;
    double best = std::numeric_limits<double>::infinity();
    for (const auto& tile : emu::tiles(sparse)) best = std::min(best, tile_us(p, tile, machine));
    cost.add("tiles", tile_us(p, latency.schedule.tile, machine) / best);
  }
  std::printf("%s%s, tiles without split-k\n", sparse ? "2:4 " : "", type);
  cost.print("simulated time of the model's choice over the best simulated tile");
}

/// Types that nobody measured: squares and flat shapes.
void report_type(const char* type, bool sparse, const isa::Machine& machine) {
  std::vector<Pair> pairs;
  std::map<std::string, int> refused;
  for (const int m : {256, 1024, 4096})
    for (const int n : {64, 512, 4096})
      for (const int k : {512, 2048, 8192}) {
        emu::GemmProblem p{m, n, k, isa::parse_element(type), sparse};
        p.output_bits = emu::default_output_bits(p.type);
        compare(p, 0, machine, pairs, refused);
      }
  report((std::string(sparse ? "2:4 " : "") + type).c_str(), pairs, refused);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int every = argc > 1 ? std::max(std::atoi(argv[1]), 1) : 200;
    const std::string folder = std::string(argc > 2 ? argv[2] : TWOFOUR_TIMING_DATA) + "/";
    const auto machine = isa::load_machine("a100-sxm4-80gb");
    const auto start = std::clock();
    report_file(folder + "a100_bf16_gemm.csv", every, machine);
    report_file(folder + "a100_s8_gemm.csv", std::max(every / 4, 1), machine);
    for (const char* type : {"f16", "tf32", "s4", "b1"}) report_type(type, false, machine);
    for (const char* type : {"f16", "tf32", "s8", "s4"}) report_type(type, true, machine);
    for (const bool sparse : {false, true})
      for (const char* type : {"f16", "s8"}) report_choice(type, sparse, machine);
    std::printf("All types\n");
    pooled().print("simulated over modelled, same schedule");
    std::printf("%.1f s of CPU\n", static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
    return 0;
  } catch (const twofour::Error& error) {
    std::fprintf(stderr, "kernel_accuracy: %s\n", error.what());
    return 2;
  }
}
