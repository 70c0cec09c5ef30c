#include "twofour/emu/timing/error_band.h"

#include <algorithm>
#include <cmath>

namespace twofour::emu {
namespace {

constexpr ErrorBand bands[error_classes] = {
#include "error_band_table.inc"
};

}  // namespace

int error_class(const GemmProblem& problem, double microseconds) {
  const int time = microseconds < 10 ? 0 : microseconds <= 100 ? 1 : 2;
  const int narrow = std::min(problem.m, problem.n) <= 16;
  return (isa::is_float(problem.type) ? 0 : 6) + 2 * time + narrow;
}

double extrapolation(const GemmProblem& problem, TimingFidelity fidelity, const isa::Machine& machine) {
  const double kernels = fidelity == TimingFidelity::measured  ? 0
                         : fidelity == TimingFidelity::derived ? 1
                                                               : 2;
  const bool counted = problem.launch == Launch::as_measured ||
                       (problem.launch == Launch::graph && isa::is_float(problem.type));
  return 1 + kernels + (machine.name != "a100-sxm4-80gb") + !counted;
}

ErrorBand error_band(const GemmProblem& problem, double microseconds, TimingFidelity fidelity,
                     const isa::Machine& machine) {
  const auto& band = bands[error_class(problem, microseconds)];
  const double power = extrapolation(problem, fidelity, machine);
  return {std::pow(band.low, power), std::pow(band.high, power)};
}

void add_band(Latency& latency, const GemmProblem& problem, const isa::Machine& machine) {
  const auto band = error_band(problem, latency.microseconds, latency.fidelity, machine);
  latency.low_us = latency.microseconds * band.low;
  latency.high_us = latency.microseconds * band.high;
}

}  // namespace twofour::emu
