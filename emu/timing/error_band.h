#pragma once
#include "twofour/emu/timing/gemm_latency.h"

namespace twofour::emu {

/// Rows whose errors are alike: floats or integers, predicted below 10 us, to 100 us or above, and whether
/// the smaller of m and n is at most 16.
inline constexpr int error_classes = 12;
int error_class(const GemmProblem& problem, double microseconds);

/// Measured over predicted time: the 10th and the 90th percentile, at most and at least 1.
struct ErrorBand {
  double low, high;
};

/// The band of the training rows of the class (error_band_table.inc, made by perf/timing_bands.cc), raised to
/// the power of its extrapolation. 8 of 10 rows of a kind that was measured lie in it.
ErrorBand error_band(const GemmProblem& problem, double microseconds, TimingFidelity fidelity,
                     const isa::Machine& machine);

/// Writes low_us and high_us from microseconds and fidelity.
void add_band(Latency& latency, const GemmProblem& problem, const isa::Machine& machine);

/// How much wider than the measured band, in log time: 1, and 1 more for each of these that nobody measured:
/// the kernels of the type (tf32, sparse; 2 more where not even its instructions were: 4 bits and fewer), the
/// machine (other than the A100-SXM4-80GB of the fit), and what the launch counts (floats: other than a
/// graph; integers: other than the layer profiler). The step of 1 is a judgement.
double extrapolation(const GemmProblem& problem, TimingFidelity fidelity, const isa::Machine& machine);

}  // namespace twofour::emu
