// Fits the constants of the latency model (emu/timing/constants.h) on the training rows of data/timing by
// coordinate search over the mean absolute relative error, and prints them. Deterministic. Usage: timing_fit
// [ROUNDS [FOLDER]]
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "twofour/emu/timing/measurements.h"
#include "twofour/isa/error.h"

namespace {

using namespace twofour;
using emu::TimingConstants;

struct Parameter {
  const char* name;
  double TimingConstants::*field;
  double least, most;
};
constexpr std::array parameters{
    Parameter{"l2_efficiency", &TimingConstants::l2_efficiency, 0.4, 1.0},
    Parameter{"dram_efficiency", &TimingConstants::dram_efficiency, 0.6, 1.0},
    Parameter{"sm_overlap", &TimingConstants::sm_overlap, 1.5, 16},
    Parameter{"chip_overlap", &TimingConstants::chip_overlap, 1.5, 16},
    Parameter{"gemv_step_cycles", &TimingConstants::gemv_step_cycles, 0, 2000},
    Parameter{"store_bytes_per_clk", &TimingConstants::store_bytes_per_clk, 2, 64},
    Parameter{"throttle_us", &TimingConstants::throttle_us, 1, 10000},
    Parameter{"dram_ramp_cycles", &TimingConstants::dram_ramp_cycles, 1, 5000},
    Parameter{"resident_mib", &TimingConstants::resident_mib, 0.01, 40},
    Parameter{"reduction_share", &TimingConstants::reduction_share, 0.1, 2},
    Parameter{"layer_us", &TimingConstants::layer_us, 0, 12},
    Parameter{"layer_gemm_us", &TimingConstants::layer_gemm_us, 0, 6},
    Parameter{"layer_dram_efficiency", &TimingConstants::layer_dram_efficiency, 0.6, 1.1},
};

/// Every stride-th training row of a file, validation rows apart.
void add_training(std::vector<emu::Measurement>& out, const std::string& path, std::size_t stride) {
  std::size_t index = 0;
  for (const auto& row : emu::load_measurements(path, emu::Launch::as_measured))
    if (!row.held_out && !row.validation && index++ % stride == 0) out.push_back(row);
}

double mean_error(const std::vector<emu::Measurement>& rows, const isa::Machine& machine,
                  const TimingConstants& c) {
  double sum = 0;
  for (const auto& row : rows)
    sum += std::abs(emu::gemm_latency(row.problem, machine, c).microseconds / row.microseconds - 1);
  return sum / static_cast<double>(rows.size());
}

/// One pass over the parameters: a step up or down, kept where it helps; steps grow on success and shrink on
/// failure.
double improve(const std::vector<emu::Measurement>& rows, const isa::Machine& machine, TimingConstants& c,
               std::array<double, parameters.size()>& steps, double best) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto& p = parameters[i];
    const double before = c.*p.field;
    bool better = false;
    for (const double sign : {1.0, -1.0}) {
      c.*p.field = std::min(p.most, std::max(p.least, before * (1 + sign * steps[i])));
      const double error = mean_error(rows, machine, c);
      better = error < best;
      if (better) {
        best = error;
        break;
      }
      c.*p.field = before;
    }
    steps[i] = better ? steps[i] * 1.5 : std::max(0.002, steps[i] * 0.5);
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 20;
    const std::string folder = std::string(argc > 2 ? argv[2] : TWOFOUR_TIMING_DATA) + "/";
    std::vector<emu::Measurement> rows;
    add_training(rows, folder + "a100_bf16_gemm.csv", 7);
    add_training(rows, folder + "a100_s8_gemm.csv", 3);
    const auto machine = isa::load_machine("a100-sxm4-80gb");
    TimingConstants c{0.7, 0.9, 8, 4, 800, 10, 500, 1000, 1, 0.8, 4, 2.5, 0.9};
    std::array<double, parameters.size()> steps;
    steps.fill(0.1);
    double best = mean_error(rows, machine, c);
    for (int round = 0; round < rounds; ++round) {
      best = improve(rows, machine, c, steps, best);
      std::fprintf(stderr, "round %2d: mean |error| %.3f %% on %zu training rows\n", round + 1, 100 * best,
                   rows.size());
    }
    for (const auto& p : parameters) std::printf("%-21s %.4g\n", p.name, c.*p.field);
    return 0;
  } catch (const twofour::Error& error) {
    std::fprintf(stderr, "timing_fit: %s\n", error.what());
    return 2;
  }
}
