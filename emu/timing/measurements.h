#pragma once
#include <string>
#include <vector>

#include "twofour/emu/timing/gemm_latency.h"

namespace twofour::emu {

/// One measured GEMM of data/timing.
struct Measurement {
  GemmProblem problem;  ///< m = tokens, n = output features: out[m, n] = x[m, k] w[n, k]^T
  double microseconds;
  bool held_out;    ///< its weight shape (n, k) was never seen by a fit
  bool validation;  ///< a training row that no fit sees: structures of the model are chosen on it
  int line;
};

/// The deterministic split by weight shape: a hash of (n, k), 4 of 10 shapes held out.
bool is_held_out(std::int64_t n, std::int64_t k);

/// Of the shapes that are not held out, 1 of 4, by another hash.
bool is_validation(std::int64_t n, std::int64_t k);

/// Rows of a file with columns M, N, K, dtype, latency_us and perhaps rel_spread; rows whose frameworks
/// disagree by more than most_spread are dropped.
std::vector<Measurement> load_measurements(const std::string& path, Launch launch, double most_spread = 0.15);

}  // namespace twofour::emu
